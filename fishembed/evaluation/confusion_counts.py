"""Which classes are taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]

_OPTIMAL_UP_TO = 200
"""Optimal leaf ordering takes minutes at 1,000 classes and a fraction of a second at 200."""


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that were called another.

    Attributes
    ----------
    true, predicted
        Indices of the two classes.
    count, total
        Images of `true` that were called `predicted`, and all scored images of `true`.
    """

    true: int
    predicted: int
    count: int
    total: int


def confusion_counts(true: Ints, predicted: Ints, n_classes: int) -> Ints:
    """Count images by true class (rows) and by what they were called (columns).

    Parameters
    ----------
    true, predicted
        (n_images,) indices of classes; images with a negative one are not counted.
    n_classes
        Number of classes.

    Returns
    -------
    int64 (n_classes, n_classes)
    """
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    at = (true >= 0) & (predicted >= 0)
    np.add.at(counts, (true[at], predicted[at]), 1)
    return counts


def row_shares(counts: Ints) -> npt.NDArray[np.float64]:
    """Divide each row by its sum; rows without images are zero."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(totals > 0, totals, 1))


def mixup_order(counts: Ints) -> npt.NDArray[np.intp]:
    """Order the classes that occur so that those taken for each other stand together.

    Classes are joined by average linkage on one minus the mean of both directions' row
    shares; up to 200 classes the leaves are then ordered so that neighbours are as close as
    the tree allows.

    Returns
    -------
    intp (n_occurring,)
        Indices of the classes that have images or were called.

    References
    ----------
    Bar-Joseph, Gifford & Jaakkola (2001). Fast optimal leaf ordering for hierarchical
    clustering. Bioinformatics 17, S22-S29.
    """
    occurring = np.flatnonzero(counts.sum(axis=0) + counts.sum(axis=1))
    if len(occurring) < 3:
        return occurring
    from scipy.cluster.hierarchy import leaves_list, linkage

    shares = row_shares(counts[np.ix_(occurring, occurring)])
    apart = 1 - (shares + shares.T) / 2
    upper = np.triu_indices(len(occurring), k=1)
    tree = linkage(apart[upper], "average", optimal_ordering=len(occurring) <= _OPTIMAL_UP_TO)
    return np.asarray(occurring[leaves_list(tree)])


def most_often_called_instead(counts: Ints) -> list[tuple[int, int] | None]:
    """Return, for each class, what it was called most by mistake, and for how many images."""
    wrong = counts - np.diag(np.diag(counts))
    worst = wrong.argmax(axis=1).tolist() if len(wrong) else []
    return [(c, int(wrong[i, c])) if wrong[i, c] else None for i, c in enumerate(worst)]


def confused_pairs(counts: Ints, limit: int | None = None) -> list[ConfusedPair]:
    """List what was called something else, most images first, larger shares first among equals."""
    totals = counts.sum(axis=1)
    true, predicted = np.nonzero(counts - np.diag(np.diag(counts)))
    count = counts[true, predicted]
    order = np.lexsort((predicted, true, -count / totals[true], -count))[:limit]
    return [
        ConfusedPair(int(true[i]), int(predicted[i]), int(count[i]), int(totals[true[i]]))
        for i in order
    ]


def largest_pairs(counts: Ints, limit: int) -> list[ConfusedPair]:
    """List the first of `confused_pairs`, without single images where there are larger pairs."""
    pairs = confused_pairs(counts, limit)
    several = [pair for pair in pairs if pair.count > 1]
    return several if len(several) >= 3 else pairs


def most_mixed(counts: Ints, order: Sequence[int] | npt.NDArray[np.intp], limit: int) -> list[int]:
    """Return, in `order`, the `limit` classes that are in most mix-ups, in either direction."""
    wrong = counts - np.diag(np.diag(counts))
    mixups = wrong.sum(axis=0) + wrong.sum(axis=1)
    worst = set(np.argsort(-mixups, kind="stable")[:limit].tolist())
    return [int(i) for i in order if int(i) in worst]
