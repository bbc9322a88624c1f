"""Temperature scaling: the one factor on logits that makes their softmax hold on unseen rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Codes, Floats
from fishembed.classifiers.cross_validation import (
    Folds,
    HeldOutLogits,
    aligned_logits,
    held_out_logits,
)

_MOST = float(np.log(1e3))  # of the logarithm of the factor, either way
_STEPS = 30
_TOLERANCE = 1e-3
_LOGITS_AT_ONCE = 131_072  # about as many as fit into the processor's cache
_MARGIN = 16.0
"""Nats by which the true class of training rows leads the mean of the others where the log loss
of new rows is least: 11 to 22 with one to four images a class of Pets, Flowers and Caltech-101, for
Gaussian and logistic heads of any penalty, whose own scales differ a thousandfold."""
_LOGITS_FOR_MARGIN = 10_000_000
_N_FOLDS = 5
_ENOUGH = 500  # rows: one number is learnt, to a few percent


def log_losses(by_class: Floats, codes: Codes) -> npt.NDArray[np.float64]:
    """Return -log p(true class) of every column of (n_classes, n) logits: sums run along memory."""
    losses = np.empty(len(codes))
    step = max(64, _LOGITS_AT_ONCE // len(by_class))
    for start in range(0, len(codes), step):
        block = slice(start, start + step)
        shifted = by_class[:, block] - by_class[:, block].max(axis=0)
        own = shifted[codes[block], np.arange(shifted.shape[1])].astype(np.float64)
        odds = np.exp(shifted, out=shifted).sum(axis=0, dtype=np.float64)
        losses[block] = np.log(odds) - own
    return losses


def best_scale(
    by_class: Floats, codes: Codes, weights: npt.NDArray[np.float64] | None = None
) -> float:
    """Return the factor on the logits with the least weighted mean log loss: 1 / temperature.

    Its logarithm has a standard normal prior, which counts as one row does: a few rows that all
    are right would else ask for boundless certainty. The minimum is found by Newton steps in the
    logarithm, within a shrinking bracket from 0.001 to 1000. Of (n_classes, n) logits, (n,)
    true classes, and (n,) weights, 1 each when left out.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9, as a posterior mode.
    """
    shifted = by_class - by_class.max(axis=0)
    own = shifted[codes, np.arange(len(codes))]
    mass = np.ones(len(codes)) if weights is None else weights
    share = (mass / mass.sum()).astype(shifted.dtype)
    prior = float(share @ share)  # one over the number of rows that the weights are worth
    low, high, log_scale = -_MOST, _MOST, 0.0
    for _ in range(_STEPS):
        scale = float(np.exp(log_scale))
        odds = np.exp(shifted * shifted.dtype.type(scale))
        odds /= odds.sum(axis=0)
        odds *= shifted
        mean = odds.sum(axis=0)
        variance = float((odds * shifted).sum(axis=0) @ share - (mean * mean) @ share)
        slope = scale * float((mean - own) @ share)
        curvature = slope + scale * scale * variance + prior
        slope += prior * log_scale
        low, high = (log_scale, high) if slope < 0 else (low, log_scale)
        step = log_scale - slope / curvature if curvature > 0 else low
        following = step if low < step < high else (low + high) / 2
        if abs(following - log_scale) <= _TOLERANCE:
            return float(np.exp(following))
        log_scale = following
    return float(np.exp(log_scale))


def temperature_on(head: Any, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
    """Return the temperature by which a fitted classifier's logits are divided to calibrate it.

    Parameters
    ----------
    head
        A fitted classifier.
    X, y
        (n, dim) rows that it has not learnt from, and their labels. Rows of a class it does not
        know are left out.

    Returns
    -------
    float
        The temperature with the least log loss; 1 where no row is left.

    Notes
    -----
    Guo et al. 2017, "On Calibration of Modern Neural Networks", eq. 9.
    """
    labels = np.asarray(y)
    known = np.isin(labels, head.classes_)
    if not known.any():
        return 1.0
    logits = aligned_logits(head, np.asarray(X)[known], head.classes_)
    order = np.argsort(head.classes_)
    codes = order[np.searchsorted(head.classes_, labels[known], sorter=order)]
    return 1 / best_scale(np.ascontiguousarray(logits.T), codes)


def temperature_of(logits: HeldOutLogits, codes: Codes) -> float:
    """Return the temperature by which held-out logits are divided to calibrate them.

    `codes` are the (n_images,) classes of all training rows. 1 where nothing was held out.
    """
    return 1 / best_scale(logits.by_class, codes[logits.rows]) if len(logits.rows) else 1.0


def untested_temperature(logits: npt.NDArray[Any], codes: Codes) -> float:
    """Return the temperature of a classifier of which no row could be tested.

    With it the logits of the true class of rows that it has learnt from, (n, n_classes) logits of
    (n,) classes, exceed the mean of the others by 16 nats; 1 where they do not exceed it.
    """
    own = logits[np.arange(len(codes)), codes]
    others = (logits.sum(axis=1) - own) / max(1, logits.shape[1] - 1)
    margin = float((own - others).mean()) if len(codes) else 0.0
    return margin / _MARGIN if margin > 0 else 1.0


def spread(logits: npt.NDArray[Any], codes: Codes) -> float:
    """Return the standard deviation of the (n, n_classes) logits among a row's wrong classes.

    The mean over the rows; 1 where it is 0. The logits of the rows' own
    classes are left out where there are two others.
    """
    if logits.shape[1] < 3:
        return float(logits.std(axis=1).mean()) or 1.0
    others = np.ones(logits.shape, bool)
    others[np.arange(len(codes)), codes] = False
    apart = logits[others].reshape(len(codes), -1)
    return float(apart.std(axis=1).mean()) or 1.0


def rows_for_margin(n: int, n_classes: int) -> slice:
    """Return which of n rows measure the margin: all, or every k-th where logits are many."""
    return slice(None, None, -(-n * n_classes // _LOGITS_FOR_MARGIN) or 1)


def held_out_temperature(
    head: Any,
    X: npt.NDArray[Any],
    y: npt.NDArray[Any],
    groups: npt.NDArray[Any] | None = None,
    *,
    random_state: int = 0,
) -> float:
    """Return the temperature of a classifier by fitting clones of it to four fifths of the rows.

    As many fifths are held out, one after the other, as it takes to have 500 rows.

    Parameters
    ----------
    head
        A classifier; it is cloned, not changed.
    X, y
        (n, dim) rows and (n,) labels it learns, or has learnt, from.
    groups
        (n,) rows of one group are never split.
    random_state
        Seed of the folds.

    Returns
    -------
    float
        See `temperature_on`; 1 where nothing can be held out.
    """
    classes, codes = np.unique(y, return_inverse=True)
    folds = Folds.split(X, codes, len(classes), _N_FOLDS, random=random_state, groups=groups)
    logits: list[npt.NDArray[Any]] = []
    truths: list[Codes] = []
    for rows, of_rows in held_out_logits(head, folds, classes):
        logits.append(of_rows)
        truths.append(codes[rows])
        if sum(map(len, truths)) >= _ENOUGH:
            break
    if not truths:
        return 1.0
    by_class = np.ascontiguousarray(np.concatenate(logits).T)
    return 1 / best_scale(by_class, np.concatenate(truths))
