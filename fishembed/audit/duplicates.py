"""Pictures that are the same, byte for byte or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed.audit.search import Features, Indices, Pairs, close_pairs
from fishembed.audit.threshold import Threshold

NO_SPLIT = ""
_MERGE_AT = 1_000_000


@dataclass(frozen=True)
class DuplicateGroup:
    """Pictures that belong together.

    Attributes
    ----------
    rows
        Row numbers, two or more.
    identical
        Whether all have the same bytes.
    """

    rows: tuple[int, ...]
    identical: bool


@dataclass(frozen=True)
class Duplicates:
    """What a store has more than once.

    Attributes
    ----------
    threshold
        From which cosine on.
    n_pairs
        Pairs at or above it.
    groups
        Connected by such pairs or by equal bytes; largest first.
    unit
        intp (n,): rows of one group have one number.
    cosine
        float32 (n,) with the nearest other row; 0 below the threshold.
    splits
        Names of the splits that occur, "" for none, in the order of `twin`'s columns.
    twin, twin_cosine
        (n, n_splits) for each row and split the nearest row there at or above the threshold
        (-1 for none), and its cosine.
    """

    threshold: Threshold
    n_pairs: int
    groups: tuple[DuplicateGroup, ...]
    unit: Indices
    cosine: npt.NDArray[np.float32]
    splits: tuple[str, ...]
    twin: Indices
    twin_cosine: npt.NDArray[np.float32]

    @property
    def identical(self) -> tuple[DuplicateGroup, ...]:
        """The groups of equal bytes."""
        return tuple(group for group in self.groups if group.identical)

    @property
    def near(self) -> tuple[DuplicateGroup, ...]:
        """The groups that only look the same."""
        return tuple(group for group in self.groups if not group.identical)


def find_duplicates(
    features: Features,
    digests: Sequence[str],
    splits: npt.NDArray[np.str_],
    threshold: Threshold,
) -> Duplicates:
    """Find what is there more than once.

    Parameters
    ----------
    features
        (n, dim).
    digests
        SHA-256 of each file, "" where not known.
    splits
        Text (n,).
    threshold
        From which cosine on two pictures are one.

    Notes
    -----
    Exact: every pair is compared. The time grows with n², the memory with n.
    """
    names = tuple(sorted(set(splits.tolist())))
    twins = _Twins(len(features), np.searchsorted(names, splits), len(names))
    union = _Union(len(features))
    union.join_equal(digests)
    n_pairs = 0
    for pairs in close_pairs(features, threshold.cosine):
        n_pairs += len(pairs.first)
        twins.take(pairs)
        union.join(pairs.first, pairs.second)
    unit = union.components()
    return Duplicates(
        threshold=threshold,
        n_pairs=n_pairs,
        groups=_groups(unit, digests),
        unit=unit,
        cosine=twins.cosine.max(axis=1, initial=0),
        splits=names,
        twin=twins.row,
        twin_cosine=twins.cosine,
    )


def _groups(unit: Indices, digests: Sequence[str]) -> tuple[DuplicateGroup, ...]:
    order = np.argsort(unit, kind="stable")
    starts = np.flatnonzero(np.diff(unit[order])) + 1
    members = [part for part in np.split(order, starts) if len(part) > 1]
    members.sort(key=lambda part: (-len(part), int(part[0])))
    groups = []
    for part in members:
        known = {digests[i] for i in part}
        groups.append(DuplicateGroup(tuple(map(int, part)), len(known) == 1 and "" not in known))
    return tuple(groups)


class _Union:
    """Joins rows into units, holding no more than a million pairs at a time."""

    def __init__(self, n: int) -> None:
        self._n = n
        self._unit = np.arange(n)
        self._waiting: list[tuple[Indices, Indices]] = []
        self._count = 0

    def join(self, first: Indices, second: Indices) -> None:
        self._waiting.append((first, second))
        self._count += len(first)
        if self._count > _MERGE_AT:
            self._merge()

    def join_equal(self, keys: Sequence[str]) -> None:
        seen: dict[str, int] = {}
        pairs = [(seen.setdefault(key, i), i) for i, key in enumerate(keys) if key]
        if pairs:
            first, second = np.array(pairs, np.intp).T
            self.join(first, second)

    def components(self) -> Indices:
        self._merge()
        return self._unit

    def _merge(self) -> None:
        if not self._waiting:
            return
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        first = np.concatenate([a for a, _ in self._waiting])
        second = np.concatenate([b for _, b in self._waiting])
        ends = self._unit[first], self._unit[second]
        graph = coo_array((np.ones(len(first), np.int8), ends), shape=(self._n, self._n))
        _, label = connected_components(graph, directed=False)
        self._unit = label[self._unit].astype(np.intp)
        self._waiting, self._count = [], 0


class _Twins:
    """The nearest row of each split for each row, among pairs as they come."""

    def __init__(self, n: int, split: Indices, n_splits: int) -> None:
        self._split = split
        self.row = np.full((n, n_splits), -1, np.intp)
        self.cosine = np.zeros((n, n_splits), np.float32)

    def take(self, pairs: Pairs) -> None:
        for row, other in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
            at = row * self.cosine.shape[1] + self._split[other]
            best = self.cosine.reshape(-1)
            np.maximum.at(best, at, pairs.cosine)
            nearest = pairs.cosine == best[at]
            self.row.reshape(-1)[at[nearest]] = other[nearest]
