"""Classifiers over features: scikit-learn estimators, arrays in, arrays out.

They are loaded when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names

if TYPE_CHECKING:
    from fishembed.classifiers.auto import AutoHead, SweptLogisticHead
    from fishembed.classifiers.gaussian import GaussianHead
    from fishembed.classifiers.linear_head import LinearHead
    from fishembed.classifiers.logistic import AngularHead, LogisticHead, logistic_path
    from fishembed.classifiers.model_choice.choosing_head import ChoosingHead
    from fishembed.classifiers.model_choice.model_selection import Trial
    from fishembed.classifiers.neighbors import NeighborsHead
    from fishembed.classifiers.rejecting import RejectingClassifier
    from fishembed.classifiers.saved.persistence import load_head, save_head
    from fishembed.classifiers.saved.saved_head import AngularMap, LinearMap, SavedHead, SummedHead
    from fishembed.classifiers.solver.minibatch_training import Epoch
    from fishembed.classifiers.temperature import held_out_temperature, temperature_on
    from fishembed.classifiers.wrappers import (
        BlendClassifier,
        PriorCorrectedClassifier,
        TemperatureCalibratedClassifier,
    )
    from fishembed.classifiers.zero_shot import ZeroShotClassifier, class_anchors

_MODULES = {
    "AngularHead": "logistic",
    "AngularMap": "saved.saved_head",
    "AutoHead": "auto",
    "BlendClassifier": "wrappers",
    "ChoosingHead": "model_choice.choosing_head",
    "Epoch": "solver.minibatch_training",
    "GaussianHead": "gaussian",
    "LinearHead": "linear_head",
    "LinearMap": "saved.saved_head",
    "LogisticHead": "logistic",
    "NeighborsHead": "neighbors",
    "PriorCorrectedClassifier": "wrappers",
    "RejectingClassifier": "rejecting",
    "SavedHead": "saved.saved_head",
    "SummedHead": "saved.saved_head",
    "SweptLogisticHead": "auto",
    "TemperatureCalibratedClassifier": "wrappers",
    "Trial": "model_choice.model_selection",
    "ZeroShotClassifier": "zero_shot",
    "class_anchors": "zero_shot",
    "held_out_temperature": "temperature",
    "load_head": "saved.persistence",
    "logistic_path": "logistic",
    "save_head": "saved.persistence",
    "temperature_on": "temperature",
}

__all__ = [
    "AngularHead",
    "AngularMap",
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
    "RejectingClassifier",
    "SavedHead",
    "SummedHead",
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

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
