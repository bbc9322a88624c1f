"""Classifiers over vectors: scikit-learn estimators, arrays in, arrays out."""

from __future__ import annotations

from fishembed.classifiers.auto import AutoHead
from fishembed.classifiers.choosing import ChoosingHead
from fishembed.classifiers.gaussian import GaussianHead
from fishembed.classifiers.linear_head import LinearHead
from fishembed.classifiers.linear_training import Epoch
from fishembed.classifiers.logistic import LogisticHead, logistic_path
from fishembed.classifiers.neighbors import NeighborsHead
from fishembed.classifiers.persistence import LinearMap, load_head, save_head
from fishembed.classifiers.selection import Trial
from fishembed.classifiers.sweep import SweptLogisticHead
from fishembed.classifiers.temperature import held_out_temperature, temperature_on
from fishembed.classifiers.wrappers import (
    BlendClassifier,
    PriorCorrectedClassifier,
    TemperatureCalibratedClassifier,
)
from fishembed.classifiers.zeroshot import ZeroShotClassifier, class_anchors

__all__ = [
    "AutoHead",
    "BlendClassifier",
    "ChoosingHead",
    "Epoch",
    "GaussianHead",
    "LinearHead",
    "LinearMap",
    "LogisticHead",
    "NeighborsHead",
    "PriorCorrectedClassifier",
    "SweptLogisticHead",
    "TemperatureCalibratedClassifier",
    "Trial",
    "ZeroShotClassifier",
    "class_anchors",
    "held_out_temperature",
    "load_head",
    "logistic_path",
    "save_head",
    "temperature_on",
]
