"""What the head of a run says of the rows of a store."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.cache import Store
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
    blocks = [
        calibrated.predict_proba(store.embeddings(rows[start : start + _AT_ONCE], run.features))
        for start in range(0, len(rows), _AT_ONCE)
    ]
    names = head.class_names or tuple(map(str, head.classes_.tolist()))
    return np.concatenate(blocks), names
