"""Probability that a label is wrong, by a classifier that had not learnt from its row."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double
from fishembed.errors import DimensionError, InputError

_SCALES = (0.05, 20.0)
_MOST_NOISE = 0.5
_HALVINGS = 50


@dataclass(frozen=True)
class LabelNoise:
    """A model of wrong labels, fitted to out-of-fold probabilities.

    Attributes
    ----------
    scale
        Factor on the log probabilities under which they fit the labels best.
    rate
        Share of wrong labels, 0 to 0.5.
    posterior
        float64 (n,) probability that each label is wrong.
    p_given
        float64 (n,) scaled probability of each label, were none wrong.
    """

    scale: float
    rate: float
    posterior: Double
    p_given: Double


def fit_label_noise(y: npt.ArrayLike, probabilities: npt.ArrayLike) -> LabelNoise:
    """Fit a rate of wrong labels, and how reliable the probabilities are.

    A label is right with probability 1 - e, else any other class's. Where the classifier's own
    errors explain the labels that it doubts, the likelihood is highest without wrong labels.

    Parameters
    ----------
    y
        int (n,) column of each row's label.
    probabilities
        (n, n_classes) of a classifier that was not trained on the row; rows sum to 1.

    Returns
    -------
    LabelNoise
        By maximum likelihood of (1 - e) p + e (1 - p) / (n_classes - 1), p the softmax of the
        scaled log probabilities at the label.

    Raises
    ------
    DimensionError
        When the shapes do not fit together.
    InputError
        When there is no row, or there are fewer than two columns.

    References
    ----------
    The symmetric noise model: Angluin & Laird (1988). Learning from noisy examples. Machine
    Learning 2, 343-370; its likelihood on a classifier's output: Sukhbaatar et al. (2014).
    Training convolutional networks with noisy labels.

    Examples
    --------
    >>> p = np.array([[0.98, 0.02]] * 30 + [[0.02, 0.98]] * 31)
    >>> noise = fit_label_noise([0] * 30 + [1] * 29 + [0] * 2, p)
    >>> round(noise.rate, 2), np.flatnonzero(noise.posterior > 0.5).tolist()
    (0.03, [59, 60])
    """
    from scipy.optimize import minimize_scalar

    labels, p = np.asarray(y), np.asarray(probabilities, dtype=np.float64)
    if p.ndim != 2 or labels.shape != p.shape[:1]:
        raise DimensionError(f"y {labels.shape} and probabilities {p.shape} do not fit")
    if not len(p) or p.shape[1] < 2:
        raise InputError(f"probabilities are {p.shape}: give rows of two classes at least")
    logits = np.log(np.maximum(p, np.finfo(np.float64).tiny))
    others = p.shape[1] - 1

    def loss(log_scale: float) -> float:
        p_given = _probability_of_label(logits, labels, float(np.exp(log_scale)))
        return -float(np.log(_likelihood(p_given, others, _rate(p_given, others))).mean())

    bounds = np.log(_SCALES)
    best = minimize_scalar(loss, bounds=bounds, method="bounded", options={"xatol": 1e-2})
    scale = float(np.exp(best.x))
    p_given = _probability_of_label(logits, labels, scale)
    rate = _rate(p_given, others)
    posterior = 1 - (1 - rate) * p_given / _likelihood(p_given, others, rate)
    return LabelNoise(scale, rate, np.clip(posterior, 0, 1), p_given)


def _probability_of_label(logits: Double, labels: npt.NDArray[np.integer], scale: float) -> Double:
    scaled = scale * logits
    scaled -= scaled.max(axis=1, keepdims=True)
    own = scaled[np.arange(len(labels)), labels]
    return np.asarray(np.exp(own) / np.exp(scaled).sum(axis=1))


def _likelihood(p_given: Double, others: int, rate: float) -> Double:
    return np.maximum((1 - rate) * p_given + rate * (1 - p_given) / others, 1e-300)


def _rate(p_given: Double, others: int) -> float:
    """Return the most likely rate of wrong labels; the likelihood is concave in it."""
    gain = (1 - p_given) / others - p_given
    low, high = 0.0, _MOST_NOISE
    if float((gain / np.maximum(p_given, 1e-300)).sum()) <= 0:
        return 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        slope = float((gain / _likelihood(p_given, others, middle)).sum())
        low, high = (middle, high) if slope > 0 else (low, middle)
    return (low + high) / 2
