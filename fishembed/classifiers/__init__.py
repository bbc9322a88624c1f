"""Classifiers over vectors: scikit-learn estimators, arrays in, arrays out."""

from __future__ import annotations

from fishembed.classifiers.auto import AutoHead
from fishembed.classifiers.gaussian import GaussianHead
from fishembed.classifiers.linear_head import Epoch, LinearHead
from fishembed.classifiers.logistic import LogisticHead, logistic_path
from fishembed.classifiers.persistence import LinearMap, load_head, save_head
from fishembed.classifiers.selection import Trial
from fishembed.classifiers.zeroshot import ZeroShotClassifier, class_anchors

__all__ = [
    "AutoHead",
    "Epoch",
    "GaussianHead",
    "LinearHead",
    "LinearMap",
    "LogisticHead",
    "Trial",
    "ZeroShotClassifier",
    "class_anchors",
    "load_head",
    "logistic_path",
    "save_head",
]
