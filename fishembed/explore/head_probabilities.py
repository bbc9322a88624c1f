"""What a head says of the rows of a store: that of a run, or one of the labels there are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import FeatureKind, Store
from fishembed.classifiers import GaussianHead
from fishembed.errors import DimensionError, StoreMismatchError
from fishembed.experiments import Run

_AT_ONCE = 16_384


def run_probabilities(
    run: str | Path | Run, store: Store, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]]:
    """Return the probability of each class for some rows, and the names of the classes.

    Raises
    ------
    RunFormatError
        When the run keeps no head, or it is not as it was written.
    DimensionError, StoreMismatchError
        When it was trained on other features than the store's.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    head = run.load_head()
    width, fingerprint = store.width(run.features), store.feature_fingerprint(run.features)
    if width != head.n_features_in_:
        raise DimensionError(
            f"the head of {run.name!r} reads {head.n_features_in_} numbers, {str(store.path)!r} "
            f"holds {len(store)} × {width}: name a run of this store"
        )
    if fingerprint != head.feature_fingerprint:
        raise StoreMismatchError(
            f"{str(store.path)!r} holds features of {store.encoder_name!r} ({fingerprint}), the "
            f"head of {run.name!r} was trained on others: name a run of this store"
        )
    calibrated = head.calibrated()
    names = head.class_names or tuple(map(str, head.classes_.tolist()))
    return _in_blocks(calibrated, store, rows, run.features), names


def label_probabilities(
    store: Store, rows: npt.NDArray[np.intp]
) -> tuple[npt.NDArray[np.float64], tuple[str, ...]] | None:
    """Return the same by a Gaussian head fitted to those rows that have a label.

    None where fewer than two classes have one.
    """
    labels = store.labels[rows]
    labelled = rows[labels >= 0]
    if len(np.unique(store.labels[labelled])) < 2:
        return None
    head = GaussianHead().fit(store.embeddings(labelled), store.labels[labelled])
    names = tuple(store.classes[label] for label in head.classes_)
    return _in_blocks(head, store, rows, "image"), names


def _in_blocks(
    head: Any, store: Store, rows: npt.NDArray[np.intp], features: FeatureKind
) -> npt.NDArray[np.float64]:
    return np.concatenate(
        [
            head.predict_proba(store.embeddings(rows[start : start + _AT_ONCE], features))
            for start in range(0, len(rows), _AT_ONCE)
        ]
    )
