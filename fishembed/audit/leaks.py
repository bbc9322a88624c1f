"""Test pictures that training has seen: by group, by their bytes, or nearly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.splits import SPLITS
from fishembed.audit.duplicates import Duplicates

GROUP, IDENTICAL, NEAR = "group", "identical", "near-duplicate"


@dataclass(frozen=True)
class Leak:
    """One picture of a later split that has a counterpart in an earlier one.

    Attributes
    ----------
    row, split
        The picture.
    other, other_split
        Its counterpart: the nearest, or one of its group.
    kind
        "identical" bytes, "near-duplicate", or of one "group"; the strongest that holds.
    cosine
        Of the two; NaN where only the group says so.
    """

    row: int
    split: str
    other: int
    other_split: str
    kind: str
    cosine: float


@dataclass(frozen=True)
class Leaks:
    """What stands on both sides of a split.

    Attributes
    ----------
    found
        One for each picture and earlier split.
    sizes
        Rows of each split.
    shared_groups
        Named groups with rows in more than one split.
    has_groups
        Whether any row names a group.
    """

    found: tuple[Leak, ...]
    sizes: dict[str, int]
    shared_groups: tuple[str, ...]
    has_groups: bool

    def affected(self, split: str, *kinds: str) -> list[int]:
        """Give the rows of a split that have a counterpart, of some kinds or any."""
        wanted = kinds or (GROUP, IDENTICAL, NEAR)
        return sorted({one.row for one in self.found if one.split == split and one.kind in wanted})


def find_leaks(
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
    digests: Sequence[str],
    duplicates: Duplicates,
) -> Leaks:
    """Find pictures of test (and val) that have a counterpart in train (or val).

    Parameters
    ----------
    splits, groups, digests
        Of each row; "" for none.
    duplicates
        Of the same rows.
    """
    found: list[Leak] = []
    members = _members(groups, splits)
    # A leak is told of the later split: of test against train, not of train against test.
    for later in SPLITS[1:]:
        for row in np.flatnonzero(splits == later).tolist():
            for earlier in SPLITS[: SPLITS.index(later)]:
                leak = _counterpart(row, earlier, duplicates, digests)
                if leak is None and (other := members.get((groups[row], earlier))) is not None:
                    leak = other, GROUP, float("nan")
                if leak is not None:
                    other, kind, cosine = leak
                    found.append(Leak(row, later, other, earlier, kind, cosine))
    named: dict[str, set[str]] = {}
    for group, split in members:
        named.setdefault(group, set()).add(split)
    return Leaks(
        found=tuple(found),
        sizes={name: int((splits == name).sum()) for name in SPLITS if (splits == name).any()},
        shared_groups=tuple(sorted(group for group, where in named.items() if len(where) > 1)),
        has_groups=any(groups),
    )


def _members(groups: Sequence[str], splits: npt.NDArray[np.str_]) -> dict[tuple[str, str], int]:
    """Give the first row of each group in each split."""
    first: dict[tuple[str, str], int] = {}
    for row, (group, split) in enumerate(zip(groups, splits.tolist(), strict=True)):
        if group and split:
            first.setdefault((group, split), row)
    return first


def _counterpart(
    row: int, earlier: str, duplicates: Duplicates, digests: Sequence[str]
) -> tuple[int, str, float] | None:
    if earlier not in duplicates.splits:
        return None
    column = duplicates.splits.index(earlier)
    other = int(duplicates.twin[row, column])
    if other < 0:
        return None
    same = digests[row] == digests[other] != ""
    return other, IDENTICAL if same else NEAR, float(duplicates.twin_cosine[row, column])
