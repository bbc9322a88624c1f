"""Writing an experiment down: its folder, its tables, and everything that repeats it."""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from datetime import datetime, timezone
from importlib import metadata
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed._base.stopwatch import Stopwatch
from fishembed._version import __version__
from fishembed.cache import JoinedStores, Store, Which
from fishembed.evaluation import Scores, score
from fishembed.reports import run as layout
from fishembed.reports.folder import NewFolder
from fishembed.reports.rows import Indices, split_counts, units
from fishembed.reports.tables import PER_CLASS, PREDICTIONS, per_class_rows, prediction_rows


@dataclass
class Experiment:
    """What is told of a run besides its scores."""

    store: Store
    kind: str
    head: str
    parameters: dict[str, Any]
    seed: int
    command: str
    features: Which = "image"
    prompts: dict[str, Any] | None = None
    selection: list[dict[str, Any]] | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)


@dataclass(frozen=True)
class Answers:
    """What a head said of the scored rows.

    Attributes
    ----------
    rows, split
        Which rows of the store, and what they are.
    probabilities, columns
        (n, n_columns), and each column's label.
    y_train
        Labels that were learnt from, None for zero-shot.
    """

    rows: Indices
    split: str
    probabilities: npt.NDArray[np.float64]
    columns: npt.NDArray[np.int64]
    y_train: npt.NDArray[np.int32] | None = None


def write_run(folder: NewFolder, told: Experiment, answers: Answers) -> dict[str, Any]:
    """Score and write all tables of a run; give the scores as `metrics.json` holds them."""
    store, place = told.store, folder.path
    rows, probabilities, columns = answers.rows, answers.probabilities, answers.columns
    y = store.labels[rows]
    scores: Scores = score(
        y,
        probabilities,
        labels=columns,
        class_names=store.classes,
        groups=units(store, rows),
        seed=told.seed,
    )
    predicted = columns[probabilities.argmax(axis=1)]
    table = per_class_rows(scores, y, predicted, answers.y_train, store.classes)
    write_csv(place / layout.PER_CLASS_CSV, PER_CLASS, table)
    paths, groups = ([column[i] for i in rows] for column in (store.paths, store.groups))
    table = prediction_rows(paths, y, probabilities, columns, store.classes, groups=groups)
    write_csv(place / layout.PREDICTIONS_CSV, PREDICTIONS, table)
    metrics = {**scores.as_dict(), "scored_split": answers.split, "splits": split_counts(store)}
    write_json(place / layout.METRICS_JSON, metrics)
    write_json(place / layout.RUN_JSON, _record(told, folder.final.name, answers.split))
    return metrics


def _record(told: Experiment, name: str, split: str) -> dict[str, Any]:
    store = told.store
    return {
        "format": layout.RUN_FORMAT,
        "schema": layout.RUN_SCHEMA,
        "name": name,
        "kind": told.kind,
        "head": told.head,
        "parameters": told.parameters,
        "seed": told.seed,
        "scored_split": split,
        "classes": store.classes,
        "store": {
            "path": str(store.path),
            "name": store.name,
            "rows": len(store),
            "dim": store.width(told.features),
            "fingerprint": store.fingerprint,
            "source_root": store.source.get("root"),
        },
        "stores": [
            {"path": str(one.path), "fingerprint": one.fingerprint, "dim": one.width(told.features)}
            for one in (store.stores if isinstance(store, JoinedStores) else [store])
        ],
        "features": told.features,
        "encoder": store.encoder,
        "prompts": told.prompts,
        "selection": told.selection,
        "versions": _versions(),
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "seconds": {key: round(value, 4) for key, value in told.watch.seconds.items()},
        "command": told.command,
    }


def _versions() -> dict[str, str]:
    versions = {"fishembed": __version__, "python": sys.version.split()[0]}
    for package in ("numpy", "scipy", "scikit-learn", "h5py"):
        versions[package] = metadata.version(package)
    if "torch" in sys.modules:
        versions["torch"] = metadata.version("torch")
    return versions
