"""What probabilities of classes lack on average, found on rows of known class."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

_PSEUDO_ROWS = 3.0
"""Strength of the pull towards no bias: a class of fewer rows says little about its own."""

_MOST_CELLS = 500_000
_STEPS, _CLOSE = 200, 1e-3


def class_bias(
    log_likelihoods: npt.NDArray[np.floating[Any]], codes: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.float64]:
    """Return what is to be added to the log likelihoods of each class, (n_classes,).

    With it, the probabilities of each class sum up to about its rows. One share of the log prior
    for all classes leaves a class too probable that is easily taken for others, and another too
    improbable: where frequencies change, such errors grow.

    Parameters
    ----------
    log_likelihoods
        (n, n_classes) of rows that the classifier had not learnt from, up to a constant for each.
    codes
        (n,) their true classes.

    References
    ----------
    Alexandari, Kundaje & Shrikumar (2020). Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation. ICML. Here with a normal prior on the biases.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = np.repeat([0, 1], 500)
    >>> z = rng.normal(size=(1000, 2)) + 2 * np.eye(2)[codes]
    >>> bias = class_bias(2 * z + [0, 1], codes)
    >>> bool(bias[0] - bias[1] > 0.7)
    True
    """
    most = max(100, _MOST_CELLS // max(1, log_likelihoods.shape[1]))
    if len(codes) > most:
        some = np.random.default_rng(0).choice(len(codes), most, replace=False)
        log_likelihoods, codes = log_likelihoods[some], codes[some]
    rows = np.bincount(codes, minlength=log_likelihoods.shape[1]).astype(np.float64)
    z = log_likelihoods + np.log((rows + 0.5) / (rows.sum() + 0.5 * len(rows)))
    bias = np.zeros(len(rows))
    for _ in range(_STEPS if len(codes) else 0):
        expected = softmax(z + bias, axis=1).sum(axis=0)
        step = (rows - expected - _PSEUDO_ROWS * bias) / (expected + _PSEUDO_ROWS)
        bias += step
        if np.abs(step).max() < _CLOSE:
            break
    return bias
