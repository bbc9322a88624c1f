"""Encode every image once, then run any number of experiments on the cached features.

The public names are loaded when first used, so that `import fishembed` costs milliseconds::

    from fishembed import FeatureStore, LogisticHead, extract, score

    store = FeatureStore.open(extract("photos").store)
    head = LogisticHead().fit(*store.split("train"))
    X, y = store.split("test")
    print(score(y, head.predict_proba(X), labels=head.classes_))
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed._base.runtime import lazy_names
from fishembed._version import __version__

if TYPE_CHECKING:
    from fishembed.cache import FeatureStore, import_features, import_vectors, open_store
    from fishembed.classifiers import (
        AngularHead,
        AutoHead,
        BlendClassifier,
        GaussianHead,
        LinearHead,
        LogisticHead,
        NeighborsHead,
        PriorCorrectedClassifier,
        RejectingClassifier,
        TemperatureCalibratedClassifier,
        ZeroShotClassifier,
        load_head,
        logistic_path,
        save_head,
    )
    from fishembed.encoders import load_encoder
    from fishembed.errors import FishembedError
    from fishembed.evaluation import Scores, score
    from fishembed.experiments import (
        Run,
        compare_runs,
        export_camtrap_dp,
        list_runs,
        predict_run,
        run_fit,
        run_seeds,
        run_zeroshot,
    )
    from fishembed.explore import FeatureSearch, cluster_store, search_store, suggest_store
    from fishembed.extraction import Extraction, extract, extract_several
    from fishembed.reports import write_comparison, write_report
    from fishembed.sharing import bundle_run, push_run

_HOMES = {
    "audit": "workflow.shortcuts",
    "compare": "workflow.shortcuts",
    "fix": "workflow.shortcuts",
    "split": "workflow.shortcuts",
    "bundle_run": "sharing",
    "push_run": "sharing",
    "FeatureSearch": "explore",
    "cluster_store": "explore",
    "search_store": "explore",
    "suggest_store": "explore",
    "FeatureStore": "cache",
    "import_features": "cache",
    "import_vectors": "cache",
    "open_store": "cache",
    "AngularHead": "classifiers",
    "AutoHead": "classifiers",
    "BlendClassifier": "classifiers",
    "GaussianHead": "classifiers",
    "LinearHead": "classifiers",
    "LogisticHead": "classifiers",
    "NeighborsHead": "classifiers",
    "PriorCorrectedClassifier": "classifiers",
    "RejectingClassifier": "classifiers",
    "TemperatureCalibratedClassifier": "classifiers",
    "ZeroShotClassifier": "classifiers",
    "load_head": "classifiers",
    "logistic_path": "classifiers",
    "save_head": "classifiers",
    "load_encoder": "encoders",
    "FishembedError": "errors",
    "Scores": "evaluation",
    "score": "evaluation",
    "Extraction": "extraction",
    "extract": "extraction",
    "extract_several": "extraction",
    "Run": "experiments",
    "compare_runs": "experiments",
    "export_camtrap_dp": "experiments",
    "list_runs": "experiments",
    "predict_run": "experiments",
    "run_fit": "experiments",
    "run_seeds": "experiments",
    "run_zeroshot": "experiments",
    "write_comparison": "reports",
    "write_report": "reports",
}

__all__ = [
    "AngularHead",
    "AutoHead",
    "BlendClassifier",
    "Extraction",
    "FeatureSearch",
    "FeatureStore",
    "FishembedError",
    "GaussianHead",
    "LinearHead",
    "LogisticHead",
    "NeighborsHead",
    "PriorCorrectedClassifier",
    "RejectingClassifier",
    "Run",
    "Scores",
    "TemperatureCalibratedClassifier",
    "ZeroShotClassifier",
    "__version__",
    "audit",
    "bundle_run",
    "cluster_store",
    "compare",
    "compare_runs",
    "export_camtrap_dp",
    "extract",
    "extract_several",
    "fix",
    "import_features",
    "import_vectors",
    "list_runs",
    "load_encoder",
    "load_head",
    "logistic_path",
    "open_store",
    "predict_run",
    "push_run",
    "run_fit",
    "run_seeds",
    "run_zeroshot",
    "save_head",
    "score",
    "search_store",
    "split",
    "suggest_store",
    "write_comparison",
    "write_report",
]

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
