"""Weights of rows, and class priors under them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils.validation import _check_sample_weight

from fishembed.errors import InputError

Double = npt.NDArray[np.float64]


def row_weights(
    codes: npt.NDArray[np.intp],
    classes: npt.NDArray[Any],
    class_weight: str | Mapping[Any, float] | None,
    sample_weight: npt.ArrayLike | None,
) -> Double:
    """Return the weight of every row: its own times its class's.

    Parameters
    ----------
    codes, classes
        (n,) position of every row's class, and (n_classes,) labels.
    class_weight
        None, ``"balanced"`` (every class has the same sum) or label to weight, 1 where missing.
    sample_weight
        (n,) or None for 1 each.

    Returns
    -------
    float64 (n,)

    Raises
    ------
    InputError
        `class_weight` is none of these, or no row has weight.
    """
    weights: Double = _check_sample_weight(
        sample_weight, codes, dtype=np.float64, ensure_non_negative=True, copy=True
    )
    if isinstance(class_weight, Mapping):
        weights *= np.array([class_weight.get(c, 1.0) for c in classes.tolist()])[codes]
    elif class_weight == "balanced":
        mass = np.bincount(codes, weights, len(classes))
        weights *= (weights.sum() / len(classes) / np.where(mass > 0, mass, 1))[codes]
    elif class_weight is not None:
        raise InputError(f"class_weight={class_weight!r}: use None, 'balanced' or a mapping.")
    if not weights.sum() > 0:
        raise InputError("the weights of all rows are 0: give some row a weight.")
    return weights


def log_prior(codes: npt.NDArray[np.intp], n_classes: int) -> Double:
    """Return the log share of every class; a class without rows gets that of half a row."""
    mass = np.bincount(codes, minlength=n_classes).astype(np.float64)
    logs: Double = np.log(np.where(mass > 0, mass, 0.5) / mass.sum())
    return logs
