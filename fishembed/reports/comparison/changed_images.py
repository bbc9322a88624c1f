"""Choose images that one run gets right and another does not."""

from __future__ import annotations

from collections import defaultdict
from itertools import zip_longest

import numpy as np
import numpy.typing as npt

from fishembed.experiments.comparison import Comparison

Rows = list[int]

_IMAGES = 6


def changed_images(
    comparison: Comparison, run: int, against: int, limit: int = _IMAGES
) -> tuple[Rows, Rows]:
    """Choose images that a run lost and that it gained against another.

    The most frequent mistakes come first, each once before any comes twice, and of the images of
    a group only one.

    Parameters
    ----------
    comparison
        The runs.
    run, against
        Places of two entries.
    limit
        Images of each kind.

    Returns
    -------
    list, list
        Rows lost and rows gained.
    """
    own, other = (comparison.entries[i] for i in (run, against))
    lost = np.flatnonzero(other.right[0] & ~own.right[0])
    gained = np.flatnonzero(own.right[0] & ~other.right[0])
    return (
        _spread(comparison, lost, own.predicted[0], limit),
        _spread(comparison, gained, other.predicted[0], limit),
    )


def _spread(
    comparison: Comparison, rows: npt.NDArray[np.intp], called: tuple[str, ...], limit: int
) -> Rows:
    of_mistake: dict[tuple[int, str], Rows] = defaultdict(list)
    for row in _one_of_each_group(comparison, rows):
        of_mistake[int(comparison.true[row]), called[row]].append(row)
    ranked = sorted(of_mistake.values(), key=lambda one: -len(one))
    turns = [row for turn in zip_longest(*ranked) for row in turn if row is not None]
    return turns[:limit]


def _one_of_each_group(comparison: Comparison, rows: npt.NDArray[np.intp]) -> Rows:
    if comparison.groups is None:
        return [int(row) for row in rows]
    first = np.sort(np.unique(comparison.groups[rows], return_index=True)[1])
    return [int(row) for row in rows[first]]
