"""Confusion counts: which classes are predicted for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Ints

if TYPE_CHECKING:
    from typing import TypeAlias

    from scipy import sparse

    Counts: TypeAlias = npt.NDArray[np.int64] | sparse.csr_array


DENSE_UP_TO = 1_000
"""Classes up to which counts are an array; a square of 20,000 would be 3 GB, nearly all zero."""

_SHOWN = 200
"""Classes that are ordered, and drawn, where there are more than that."""

_OPTIMAL_UP_TO = 200
"""Optimal leaf ordering takes minutes at 1,000 classes and a fraction of a second at 200."""


@dataclass(frozen=True)
class ConfusedPair:
    """Images of one class that were predicted as another."""

    # true, predicted: Indices of the two classes
    true: int
    predicted: int
    # count, total: Images of `true` predicted as `predicted`, and all scored images of `true`
    count: int
    total: int


def confusion_counts(true: Ints, predicted: Ints, n_classes: int) -> Counts:
    """Count images by true class (rows) and by predicted class (columns).

    Both are (n_images,) indices of classes; images with a negative one are not counted. Returns an
    int64 (n_classes, n_classes) array, above `DENSE_UP_TO` classes a sparse one.
    """
    at = (true >= 0) & (predicted >= 0)
    if n_classes > DENSE_UP_TO:
        from scipy import sparse

        ones = np.ones(int(at.sum()), dtype=np.int64)
        cells = true[at], predicted[at]
        return sparse.coo_array((ones, cells), (n_classes, n_classes)).tocsr()
    counts = np.zeros((n_classes, n_classes), dtype=np.int64)
    np.add.at(counts, (true[at], predicted[at]), 1)
    return counts


def row_shares(counts: Ints) -> npt.NDArray[np.float64]:
    """Divide each row by its sum; rows without images are zero."""
    totals = counts.sum(axis=1, keepdims=True)
    return np.asarray(counts / np.where(totals > 0, totals, 1))


def count_cells(counts: Counts) -> tuple[Ints, Ints, Ints]:
    """Return the cells that are not zero: row, column and count of each, row by row."""
    if isinstance(counts, np.ndarray):
        row, column = np.nonzero(counts)
        return row, column, counts[row, column]
    cells: Any = counts.tocoo()
    row, column = (np.asarray(index, np.int64) for index in cells.coords)
    order = np.lexsort((column, row))
    return row[order], column[order], cells.data[order]


def count_block(counts: Counts, order: Sequence[int] | npt.NDArray[np.intp]) -> Ints:
    """Return the rows and columns of some classes as an array."""
    at = np.asarray(order, np.intp)
    if isinstance(counts, np.ndarray):
        return counts[np.ix_(at, at)]
    return np.asarray(counts[at][:, at].toarray())


def mixup_order(counts: Counts) -> npt.NDArray[np.intp]:
    """Order the classes that occur so that those confused with each other are neighbours.

    Classes are joined by average linkage on one minus the mean of both directions' row
    shares; up to 200 classes the leaves are then ordered so that neighbours are as close as
    the tree allows. Of more than 1,000 classes the 200 that are in most mix-ups are ordered.

    Returns
    -------
    intp (n_occurring,)
        Indices of the classes that have images or were predicted.

    References
    ----------
    Bar-Joseph, Gifford & Jaakkola (2001). Fast optimal leaf ordering for hierarchical
    clustering. Bioinformatics 17, S22-S29.
    """
    row, column, _ = count_cells(counts)
    occurring = np.union1d(row, column).astype(np.intp)
    if len(occurring) > DENSE_UP_TO:
        occurring = np.sort(np.array(most_mixed(counts, occurring, _SHOWN), np.intp))
    if len(occurring) < 3:
        return occurring
    from scipy.cluster.hierarchy import leaves_list, linkage

    shares = row_shares(count_block(counts, occurring))
    apart = 1 - (shares + shares.T) / 2
    upper = np.triu_indices(len(occurring), k=1)
    tree = linkage(apart[upper], "average", optimal_ordering=len(occurring) <= _OPTIMAL_UP_TO)
    return np.asarray(occurring[leaves_list(tree)])


def most_often_called_instead(counts: Counts) -> list[tuple[int, int] | None]:
    """Return the most frequent wrong prediction of each class, and its number of images."""
    worst: list[tuple[int, int] | None] = [None] * counts.shape[0]
    row, column, count = _mistakes(counts)
    for i in np.lexsort((-column, count)).tolist():  # the last one to come stays
        worst[int(row[i])] = int(column[i]), int(count[i])
    return worst


def confused_pairs(counts: Counts, limit: int | None = None) -> list[ConfusedPair]:
    """List the wrong predictions by pair of classes: most images first, then larger shares."""
    totals = np.asarray(counts.sum(axis=1)).ravel()
    true, predicted, count = _mistakes(counts)
    order = np.lexsort((predicted, true, -count / totals[true], -count))[:limit]
    return [
        ConfusedPair(int(true[i]), int(predicted[i]), int(count[i]), int(totals[true[i]]))
        for i in order
    ]


def _mistakes(counts: Counts) -> tuple[Ints, Ints, Ints]:
    row, column, count = count_cells(counts)
    wrong = row != column
    return row[wrong], column[wrong], count[wrong]


def largest_pairs(counts: Counts, limit: int) -> list[ConfusedPair]:
    """List the first of `confused_pairs`, without single images where there are larger pairs."""
    pairs = confused_pairs(counts, limit)
    several = [pair for pair in pairs if pair.count > 1]
    return several if len(several) >= 3 else pairs


def most_mixed(
    counts: Counts, order: Sequence[int] | npt.NDArray[np.intp], limit: int
) -> list[int]:
    """Return, in `order`, the `limit` classes that are in most mix-ups, in either direction."""
    row, column, count = _mistakes(counts)
    mixups = np.zeros(counts.shape[0], np.int64)
    np.add.at(mixups, row, count)
    np.add.at(mixups, column, count)
    worst = set(np.argsort(-mixups, kind="stable")[:limit].tolist())
    return [int(i) for i in order if int(i) in worst]
