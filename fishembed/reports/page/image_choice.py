"""Choice of a report's images: the surest mistakes, mix-ups side by side, some of each cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.evaluation.confusion_counts import ConfusedPair, confused_pairs
from fishembed.experiments.runs.run_result import RunResult, ScoredImages

WORST = 3
"""Mistakes that stand on the first screen."""

_PAIRS = 12
_PAIRS_WITH_IMAGES = 8
_MIXED_UP, _BESIDE = 3, 1
_MORE_MISTAKES = 12
_OF_ONE_PAIR = 2
_IN_CELLS = 300
_OF_ONE_CELL, _OF_ONE_CLASS = 12, 4

Rows = list[int]


@dataclass(frozen=True)
class MixUp:
    """Two classes taken for each other, and images of both.

    Attributes
    ----------
    pair
        The classes and counts.
    true_right, mixed_up, called_right
        Rows of images of the true class called right, of those called the other class, and of
        images of the other class called right; one of each group.
    """

    pair: ConfusedPair
    true_right: Rows
    mixed_up: Rows
    called_right: Rows

    @property
    def rows(self) -> Rows:
        """All rows in the order of the page."""
        return [*self.true_right, *self.mixed_up, *self.called_right]


def surest_mistakes(result: RunResult) -> Rows:
    """Choose the mistakes the head was surest of, those of other classes first.

    The first `WORST` are of different pairs of classes where there are so many; of one class for
    another at most two are chosen, and of each group one.
    """
    images = result.images
    taken: Counter[tuple[int, int]] = Counter()
    rounds: tuple[Rows, Rows] = ([], [])
    for row in surest(images, images.wrong):
        pair = int(images.true[row]), int(images.predicted[row])
        taken[pair] += 1
        if taken[pair] <= _OF_ONE_PAIR:
            rounds[taken[pair] - 1].append(row)
    first = rounds[0][:WORST]
    others = [*rounds[0][WORST:], *rounds[1]]
    sure = np.nan_to_num(images.confidence, nan=-1.0)
    others.sort(key=lambda row: -sure[row])
    return [*first, *others][: WORST + _MORE_MISTAKES]


def least_sure(result: RunResult) -> Rows:
    """Choose what stands on the first screen where there is no mistake: the least sure answers."""
    images = result.images
    return surest(images, images.labelled & images.right & np.isfinite(images.confidence))[::-1][
        :WORST
    ]


def mix_ups(result: RunResult) -> list[MixUp]:
    """Choose the mix-ups of a page, those that take the largest share of a class first.

    Single images are left out where there are larger mix-ups.
    """
    pairs = confused_pairs(result.confusion)
    several = [pair for pair in pairs if pair.count > 1]
    shown = several if len(several) >= 3 else pairs
    shown = sorted(shown, key=lambda pair: (-pair.count / pair.total, -pair.count))[:_PAIRS]
    used: set[int] = set()
    return [
        _strips(result.images, pair, used) if i < _PAIRS_WITH_IMAGES else MixUp(pair, [], [], [])
        for i, pair in enumerate(shown)
    ]


def _strips(images: ScoredImages, pair: ConfusedPair, used: set[int]) -> MixUp:
    """Choose images of a mix-up; of what is called right others than were `used` before."""
    is_true, is_other = images.true == pair.true, images.true == pair.predicted
    beside = []
    for of_class in (is_true, is_other):
        rows = surest(images, of_class & images.right)
        fresh = [row for row in rows if row not in used] or rows
        beside.append(fresh[:_BESIDE])
        used.update(fresh[:_BESIDE])
    mixed_up = surest(images, is_true & (images.predicted == pair.predicted))[:_MIXED_UP]
    return MixUp(pair, beside[0], mixed_up, beside[1])


def surest(images: ScoredImages, chosen: npt.NDArray[np.bool_]) -> Rows:
    """Order images by how sure the head was, one of each group."""
    rows = np.flatnonzero(chosen)
    rows = rows[np.argsort(-np.nan_to_num(images.confidence[rows], nan=-1.0), kind="stable")]
    if images.groups is not None:
        rows = rows[np.sort(np.unique(images.groups[rows], return_index=True)[1])]
    return [int(row) for row in rows]


def cell_rows(result: RunResult, at_hand: Collection[int] = ()) -> Rows:
    """Choose images for the cells of the confusion matrix: one of each cell before any second.

    Large cells come first, mistakes before what is right; of each group one in a cell. Images
    that are `at_hand`, since the page shows them anyway, are chosen before others.
    """
    images, k = result.images, len(result.images.class_names)
    at = np.flatnonzero(images.labelled & (images.predicted >= 0))
    if not len(at):
        return []
    sure = np.nan_to_num(images.confidence[at], nan=-1.0)
    at = at[np.lexsort((-sure, ~np.isin(at, list(at_hand))))]
    cell = images.true[at] * k + images.predicted[at]
    if images.groups is not None:
        pairs = np.column_stack([cell, images.groups[at]])
        kept = np.sort(np.unique(pairs, axis=0, return_index=True)[1])
        at, cell = at[kept], cell[kept]
    _, code, count = np.unique(cell, return_inverse=True, return_counts=True)
    order = np.argsort(code, kind="stable")
    starts = np.concatenate([[0], np.cumsum(count)[:-1]])
    place = np.empty(len(at), np.intp)
    place[order] = np.arange(len(at)) - starts[code[order]]
    right = images.right[at]
    wanted = np.flatnonzero(place < np.where(right, _OF_ONE_CLASS, _OF_ONE_CELL))
    first = wanted[np.lexsort((-count[code[wanted]], right[wanted], place[wanted]))]
    return [int(row) for row in at[first[:_IN_CELLS]]]
