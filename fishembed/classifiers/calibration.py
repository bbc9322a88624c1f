"""How much to trust logits: the one factor that makes their softmax honest."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats

_LEAST, _MOST = 1e-3, 1e3
_STEPS = 25


def log_losses(by_class: Floats, codes: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """-log p(true class) of every column.

    Parameters
    ----------
    by_class
        (n_classes, n) logits, one column for each row: the sums then run along memory.
    codes
        (n,) true class.
    """
    shifted = by_class - by_class.max(axis=0)
    own = shifted[codes, np.arange(len(codes))].astype(np.float64)
    losses: npt.NDArray[np.float64] = np.log(np.exp(shifted).sum(axis=0, dtype=np.float64)) - own
    return losses


def best_scale(
    by_class: Floats, codes: npt.NDArray[np.intp], weights: npt.NDArray[np.float64]
) -> float:
    """Find the factor on the logits with the least weighted mean log loss: 1 / temperature.

    The loss is convex in the factor; its minimum is found by Newton steps kept inside a
    shrinking bracket from 0.001 to 1000.

    Parameters
    ----------
    by_class
        (n_classes, n) logits.
    codes, weights
        (n,) true class and weight of every row.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.
    """
    shifted = by_class - by_class.max(axis=0)
    own = shifted[codes, np.arange(len(codes))]
    share = (weights / weights.sum()).astype(shifted.dtype)
    low, high, scale = _LEAST, _MOST, 1.0
    for _ in range(_STEPS):
        odds = np.exp(shifted * shifted.dtype.type(scale))
        odds /= odds.sum(axis=0)
        odds *= shifted
        mean = odds.sum(axis=0)
        variance = float((odds * shifted).sum(axis=0) @ share - (mean * mean) @ share)
        slope = float((mean - own) @ share)
        low, high = (scale, high) if slope < 0 else (low, scale)
        step = scale - slope / variance if variance > 0 else 0.0
        following = step if low < step < high else float(np.sqrt(low * high))
        if abs(following - scale) <= 1e-3 * scale:
            return following
        scale = following
    return scale
