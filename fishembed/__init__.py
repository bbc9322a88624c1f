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
        LinearHead,
        LogisticHead,
        ZeroShotClassifier,
        load_head,
        save_head,
    )
    from fishembed.encoders import load_encoder
    from fishembed.errors import FishembedError
    from fishembed.evaluation import Scores, score
    from fishembed.extraction import Extraction, extract
    from fishembed.reports import Run, run_fit, run_zeroshot, write_report

_HOMES = {
    "FeatureStore": "fishembed.cache",
    "import_vectors": "fishembed.cache",
    "LinearHead": "fishembed.classifiers",
    "LogisticHead": "fishembed.classifiers",
    "ZeroShotClassifier": "fishembed.classifiers",
    "load_head": "fishembed.classifiers",
    "save_head": "fishembed.classifiers",
    "load_encoder": "fishembed.encoders",
    "FishembedError": "fishembed.errors",
    "Scores": "fishembed.evaluation",
    "score": "fishembed.evaluation",
    "Extraction": "fishembed.extraction",
    "extract": "fishembed.extraction",
    "Run": "fishembed.reports",
    "run_fit": "fishembed.reports",
    "run_zeroshot": "fishembed.reports",
    "write_report": "fishembed.reports",
}

__all__ = [
    "Extraction",
    "FeatureStore",
    "FishembedError",
    "LinearHead",
    "LogisticHead",
    "Run",
    "Scores",
    "ZeroShotClassifier",
    "__version__",
    "extract",
    "import_vectors",
    "load_encoder",
    "load_head",
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
