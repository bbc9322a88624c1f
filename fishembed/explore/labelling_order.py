"""Order in which to label images: first those that cover all others, then the uncertain ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Flags, Single

Why = Literal["typical", "uncertain", "random"]

EXPLORED = 0.2
"""Least share of images that are chosen for being unlike all labelled ones."""

AT_MOST = 4096
"""Most images that are compared with each other; of more, that many are drawn."""

_BLOCK = 8192


class Choice(NamedTuple):
    """A row to label, why, and the value by which it was chosen."""

    at: int
    why: Why
    score: float


def next_to_label(
    X: Single,
    labels: npt.NDArray[np.integer],
    groups: Sequence[str],
    n: int,
    *,
    probabilities: npt.NDArray[np.float64] | None = None,
    counts: npt.NDArray[np.intp] | None = None,
    per_group: int = 1,
    seed: int = 0,
) -> list[Choice]:
    """Return the rows to label next, those that show what is unlike all labelled ones first.

    The typical rows are those that, one after the other, bring all rows nearest to a labelled one.
    The uncertain ones are chosen from the predicted classes in turn, always of the one with the
    fewest labels, least margin first. How many are typical follows from how many of the known
    classes have a single label: that is the chance that the next one shows a class not met yet.

    Parameters
    ----------
    X
        (n_images, dim) rows of length 1.
    labels
        (n_images,) class of each row, -1 for none.
    groups
        Group of each row, "" for none.
    n
        Rows to choose.
    probabilities, counts
        (n_images, n_classes) of a head, and (n_classes,) labels that each class has; without them
        every choice is typical.
    per_group
        Rows of one group, labelled ones counted, while there are other groups.
    seed
        Of the rows that are compared where they are many.

    Notes
    -----
    Typical rows: greedy facility location, Wei, Iyer and Bilmes (2015), "Submodularity in Data
    Subset Selection and Active Learning"; that few labels want typical images and many labels
    uncertain ones: Hacohen, Dekel and Weinshall (2022), "Active Learning on a Budget". The share of
    single labels is the estimate of what is unseen of Good (1953).
    """
    open_rows = _OpenRows(labels < 0, groups, per_group)
    n = min(n, open_rows.left)
    typical = n
    if probabilities is not None and counts is not None and probabilities.shape[1] > 1:
        typical = max(round(n * share_unseen(labels, groups)), round(n * EXPLORED), 1)
    chosen: list[Choice] = []
    labelled = labels >= 0
    while len(chosen) < min(n, typical):  # again where all that were compared are chosen
        chosen += _covering(X, labelled, open_rows, min(n, typical) - len(chosen), seed)
        labelled[[one.at for one in chosen]] = True
    if len(chosen) < n and probabilities is not None and counts is not None:
        chosen += _unsure_by_class(probabilities, counts.copy(), open_rows, n - len(chosen))
    return chosen


def share_unseen(labels: npt.NDArray[np.integer], groups: Sequence[str]) -> float:
    """Return the share of the labelled classes that have only one image, or one group."""
    shown: dict[int, set[object]] = {}
    for at in np.flatnonzero(labels >= 0).tolist():
        shown.setdefault(int(labels[at]), set()).add(groups[at] or at)
    if not shown:
        return 1.0
    return sum(len(one) == 1 for one in shown.values()) / len(shown)


def uncertainty(probabilities: npt.NDArray[np.float64]) -> Single:
    """Return 1 less the margin between the two most probable classes."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), np.float32)
    best = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1 - (best[:, 1] - best[:, 0]), np.float32)


class _OpenRows:
    """Rows that may still be chosen: without a label, and of groups that are not used up."""

    def __init__(self, unlabelled: Flags, groups: Sequence[str], per_group: int) -> None:
        names, self._group = np.unique(np.array(groups, dtype=str), return_inverse=True)
        self._grouped = np.array(names[self._group] != "")
        self._counts = np.bincount(self._group[~unlabelled], minlength=len(names))
        self._free, self._cap = unlabelled.copy(), per_group
        self.left = int(unlabelled.sum())

    def mask(self) -> Flags:
        """Return which rows are open; once all groups are used up, more of each group are."""
        while self.left:
            found = self._free & (~self._grouped | (self._counts[self._group] < self._cap))
            if found.any():
                return found
            used = self._counts[self._group[self._free & self._grouped]]
            self._cap = int(used.min()) + 1
        return self._free

    def mark_chosen(self, at: int) -> None:
        self._free[at] = False
        self._counts[self._group[at]] += 1
        self.left -= 1


def _covering(X: Single, labelled: Flags, open_rows: _OpenRows, n: int, seed: int) -> list[Choice]:
    """Choose rows, each the one that most raises all rows' similarity to a labelled row."""
    seen = np.flatnonzero(~labelled)
    if len(seen) > AT_MOST:
        seen = np.flatnonzero(open_rows.mask())
        seen = np.random.default_rng(seed).permutation(seen)[:AT_MOST]
    alike = X[seen] @ X[seen].T
    covered = _likeness(X[seen], X[labelled])
    gains = np.maximum(alike - covered[:, None], 0).sum(axis=0, dtype=np.float64)
    chosen = []
    for _ in range(n):
        allowed = open_rows.mask()[seen]
        if not allowed.any():
            break
        best = int(np.where(allowed, gains, -1).argmax())
        chosen.append(Choice(int(seen[best]), "typical", float(gains[best] / len(seen))))
        open_rows.mark_chosen(int(seen[best]))
        nearer = np.flatnonzero(alike[:, best] > covered)
        before = np.maximum(alike[nearer] - covered[nearer, None], 0)
        covered[nearer] = alike[nearer, best]
        gains -= (before - np.maximum(alike[nearer] - covered[nearer, None], 0)).sum(axis=0)
    return chosen


def _likeness(rows: Single, labelled: Single) -> Single:
    """Return the cosine of each row to the labelled one most like it; -1 where there is none."""
    out = np.full(len(rows), -1, np.float32)
    for start in range(0, len(labelled), _BLOCK):
        np.maximum(out, (rows @ labelled[start : start + _BLOCK].T).max(axis=1), out=out)
    return out


def _unsure_by_class(
    probabilities: npt.NDArray[np.float64],
    counts: npt.NDArray[np.intp],
    open_rows: _OpenRows,
    n: int,
) -> list[Choice]:
    """Choose the least certain rows, always of the predicted class with the fewest labels."""
    value, called = uncertainty(probabilities), probabilities.argmax(axis=1)
    order = np.lexsort((-value, called))
    queues = np.split(order, np.searchsorted(called[order], np.arange(1, len(counts))))
    chosen: list[Choice] = []
    while len(chosen) < n:
        allowed = open_rows.mask()
        for k in np.argsort(counts, kind="stable"):
            usable = queues[k][allowed[queues[k]]]
            if len(usable):
                break
        else:
            break
        chosen.append(Choice(int(usable[0]), "uncertain", float(value[usable[0]])))
        open_rows.mark_chosen(int(usable[0]))
        counts[k] += 1
    return chosen
