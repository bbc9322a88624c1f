"""How many images of each class there are, corrected for a classifier's own mistakes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import InputError

Ints = npt.NDArray[np.integer[Any]]
Double = npt.NDArray[np.float64]
_PSEUDO_ROWS = 2.0
_WARM_UP, _DRAWS = 200, 800
_MOST_CELLS = 200_000_000


@dataclass(frozen=True, eq=False)
class Counts:
    """Images of each class: expected number and interval, (n_classes,) each.

    Attributes
    ----------
    called
        Images that were called each class.
    expected
        Mean of the posterior.
    low, high
        Ends of the interval, whole numbers.
    """

    called: Ints
    expected: Double
    low: Ints
    high: Ints


def corrected_counts(
    called: npt.ArrayLike,
    confusion: npt.ArrayLike,
    checked: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
) -> Counts:
    """Count images by true class, from what they were called and how often that is wrong.

    The true class of every image, how common classes are, and how each is called are drawn in
    turn from what the others say (Gibbs sampling). That a class is called what it was among
    held-out images holds where only frequencies changed, not what images look like.

    Parameters
    ----------
    called
        (n_classes,) images that were called each class, the checked ones included.
    confusion
        (n_classes, n_classes) held-out images by true class and by what they were called; need
        not be whole.
    checked
        (n_classes, n_classes) images of this catch whose true class was looked up, by true class
        and by what they were called; None for none.
    level
        Coverage of the intervals.
    seed
        Of the draws.

    Raises
    ------
    InputError
        When shapes do not fit, or more are checked than were called so.

    References
    ----------
    Ziegler & Czyż (2024). Bayesian quantification with black-box estimators. TMLR.

    Examples
    --------
    >>> found = corrected_counts([60, 40], [[90, 10], [20, 80]])
    >>> found.expected.round(-1).tolist(), bool((found.low <= found.high).all())
    ([60.0, 40.0], True)
    """
    y, seen = np.asarray(called, np.int64), np.asarray(confusion, np.float64)
    k = len(y)
    known = np.zeros((k, k), np.int64) if checked is None else np.asarray(checked, np.int64)
    if seen.shape != (k, k) or known.shape != (k, k) or (known.sum(axis=0) > y).any():
        raise InputError(
            f"called {y.shape}, confusion {seen.shape} and checked {known.shape} do not fit"
        )
    rng = np.random.default_rng(seed)
    rows = seen + known + _prior_rows(seen + known)
    open_ = y - known.sum(axis=0)
    here = np.flatnonzero(open_)
    draws = int(np.clip(_MOST_CELLS // max(1, k * len(here)), 100, _DRAWS))
    warm = _WARM_UP if draws == _DRAWS else draws // 2
    shares = (y + 1.0) / (y + 1.0).sum()
    calls = rows / rows.sum(axis=1, keepdims=True)
    kept = np.empty((draws, k))
    for step in range(warm + draws):
        joint = shares[:, None] * calls[:, here]
        of = joint / joint.sum(axis=0)
        assigned = np.zeros((k, k))
        assigned[:, here] = rng.multinomial(open_[here], of.T).T
        totals = assigned.sum(axis=1) + known.sum(axis=1)
        shares = _dirichlet(rng, totals + 1.0 / k)
        calls = _dirichlet(rng, rows + assigned)
        if step >= warm:
            kept[step - warm] = totals
    tail = (1 - level) / 2
    low, high = np.quantile(kept, [tail, 1 - tail], axis=0)
    whole = (np.floor(low).astype(np.int64), np.ceil(high).astype(np.int64))
    return Counts(y, kept.mean(axis=0), *whole)


def _prior_rows(seen: Double) -> Double:
    """Return a few pseudo-images of each class: called as classes are called on average."""
    k = len(seen)
    n = seen.sum(axis=1)
    right = float((np.diag(seen).sum() + 1) / (n.sum() + 2))
    prior = np.full((k, k), _PSEUDO_ROWS * (1 - right) / max(1, k - 1))
    np.fill_diagonal(prior, _PSEUDO_ROWS * right)
    return prior


def _dirichlet(rng: np.random.Generator, alpha: Double) -> Double:
    drawn = np.maximum(rng.standard_gamma(alpha), 1e-300)
    return np.asarray(drawn / drawn.sum(axis=-1, keepdims=True))
