"""Encode every picture once, then run any number of experiments on the cached vectors.

The public names are loaded when first used, so that `import fishembed` costs milliseconds::

    from fishembed import FeatureStore, LogisticHead, extract, score

    store = FeatureStore.open(extract("photos").store)
    head = LogisticHead().fit(*store.split("train"))
    X, y = store.split("test")
    print(score(y, head.predict_proba(X), labels=head.classes_))
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from fishembed._version import __version__

if TYPE_CHECKING:
    from fishembed.cache import FeatureStore, import_vectors
    from fishembed.classifiers import (
        AutoHead,
        BlendClassifier,
        GaussianHead,
        LinearHead,
        LogisticHead,
        NeighborsHead,
        PriorCorrectedClassifier,
        TemperatureCalibratedClassifier,
        ZeroShotClassifier,
        load_head,
        logistic_path,
        save_head,
    )
    from fishembed.encoders import load_encoder
    from fishembed.errors import FishembedError
    from fishembed.evaluation import Scores, score
    from fishembed.extraction import Extraction, extract
    from fishembed.reports import Run, run_fit, run_zeroshot, write_report
    from fishembed.reports.prediction import predict_run

_HOMES = {
    "FeatureStore": "fishembed.cache",
    "import_vectors": "fishembed.cache",
    "AutoHead": "fishembed.classifiers",
    "BlendClassifier": "fishembed.classifiers",
    "GaussianHead": "fishembed.classifiers",
    "LinearHead": "fishembed.classifiers",
    "LogisticHead": "fishembed.classifiers",
    "NeighborsHead": "fishembed.classifiers",
    "PriorCorrectedClassifier": "fishembed.classifiers",
    "TemperatureCalibratedClassifier": "fishembed.classifiers",
    "ZeroShotClassifier": "fishembed.classifiers",
    "load_head": "fishembed.classifiers",
    "logistic_path": "fishembed.classifiers",
    "save_head": "fishembed.classifiers",
    "load_encoder": "fishembed.encoders",
    "FishembedError": "fishembed.errors",
    "Scores": "fishembed.evaluation",
    "score": "fishembed.evaluation",
    "Extraction": "fishembed.extraction",
    "extract": "fishembed.extraction",
    "Run": "fishembed.reports",
    "predict_run": "fishembed.reports.prediction",
    "run_fit": "fishembed.reports",
    "run_zeroshot": "fishembed.reports",
    "write_report": "fishembed.reports",
}

__all__ = [
    "AutoHead",
    "BlendClassifier",
    "Extraction",
    "FeatureStore",
    "FishembedError",
    "GaussianHead",
    "LinearHead",
    "LogisticHead",
    "NeighborsHead",
    "PriorCorrectedClassifier",
    "Run",
    "Scores",
    "TemperatureCalibratedClassifier",
    "ZeroShotClassifier",
    "__version__",
    "extract",
    "import_vectors",
    "load_encoder",
    "load_head",
    "logistic_path",
    "predict_run",
    "run_fit",
    "run_zeroshot",
    "save_head",
    "score",
    "write_report",
]


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'fishembed' has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
