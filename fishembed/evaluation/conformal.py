"""Sets of classes that hold the truth with a stated probability: split conformal prediction."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import upper_quantile


def conformal_threshold(
    scores: npt.ArrayLike,
    coverage: float,
    groups: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
) -> float:
    """Return the score up to which classes belong to the set.

    Parameters
    ----------
    scores
        (n,) nonconformity of the true class of held-out rows: the larger, the less it fits.
    coverage
        Share of new rows whose set holds the truth, between 0 and 1.
    groups
        (n,) group of each row, or None for every row its own. The new row is counted as one of a
        new group: it weighs as much as a group does on average.
    weights
        (n,) weight of each row, or None for 1 each: how much commoner its class is where sets are
        wanted than among these rows.

    Returns
    -------
    float
        Infinity where there are too few rows: then every class belongs to the set.

    References
    ----------
    Vovk, Gammerman & Shafer (2005). Algorithmic learning in a random world. With weights:
    Podkopaev & Ramdas (2021). Distribution-free uncertainty quantification for classification
    under label shift. UAI. With groups: Dunn, Wasserman & Ramdas (2023). Distribution-free
    prediction sets for two-layer hierarchical models. JASA 118, 2491-2502.

    Examples
    --------
    >>> conformal_threshold(np.arange(1, 20) / 20, 0.9)
    0.9
    """
    return upper_quantile(scores, coverage, groups, weights)


def conformal_sets(probabilities: npt.ArrayLike, threshold: float) -> npt.NDArray[np.bool_]:
    """Return which classes belong to each row's set; the most probable always does.

    Parameters
    ----------
    probabilities
        (n, n_classes).
    threshold
        Of 1 minus the probability, see `conformal_threshold`.

    Examples
    --------
    >>> conformal_sets([[0.7, 0.2, 0.1], [0.5, 0.4, 0.1]], 0.65).sum(axis=1).tolist()
    [1, 2]
    """
    p = np.asarray(probabilities, np.float64)
    inside = 1 - p <= threshold
    inside[np.arange(len(p)), p.argmax(axis=1)] = True
    return np.asarray(inside)
