"""Classifiers over vectors: scikit-learn estimators, arrays in, arrays out.

They are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._lazy import lazy_names

if TYPE_CHECKING:
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

_HOMES = {
    "AutoHead": "auto",
    "BlendClassifier": "wrappers",
    "ChoosingHead": "choosing",
    "Epoch": "linear_training",
    "GaussianHead": "gaussian",
    "LinearHead": "linear_head",
    "LinearMap": "persistence",
    "LogisticHead": "logistic",
    "NeighborsHead": "neighbors",
    "PriorCorrectedClassifier": "wrappers",
    "SweptLogisticHead": "sweep",
    "TemperatureCalibratedClassifier": "wrappers",
    "Trial": "selection",
    "ZeroShotClassifier": "zeroshot",
    "class_anchors": "zeroshot",
    "held_out_temperature": "temperature",
    "load_head": "persistence",
    "logistic_path": "logistic",
    "save_head": "persistence",
    "temperature_on": "temperature",
}

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
