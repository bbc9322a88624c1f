"""How many pictures each class has, in each split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FEW = 10
"""Images below which a class's scores are mostly luck."""


@dataclass(frozen=True)
class ClassBalance:
    """One class.

    Attributes
    ----------
    name
        Of the class.
    total
        Its images.
    by_split
        Images in each split.
    groups
        Number of units: groups, and rows without one.
    """

    name: str
    total: int
    by_split: dict[str, int]
    groups: int


@dataclass(frozen=True)
class Balance:
    """How the classes fill the splits.

    Attributes
    ----------
    splits
        The splits that labelled rows have; "" for none.
    classes
        Largest first; classes without any image last.
    unlabelled
        Rows without a label.
    """

    splits: tuple[str, ...]
    classes: tuple[ClassBalance, ...]
    unlabelled: int

    @property
    def present(self) -> tuple[ClassBalance, ...]:
        """The classes that have images."""
        return tuple(one for one in self.classes if one.total)

    @property
    def ratio(self) -> float:
        """Images of the largest class for each of the smallest; NaN without classes."""
        return self.present[0].total / self.present[-1].total if self.present else float("nan")

    def missing(self, split: str) -> list[str]:
        """Name the classes that have images, but none in a split."""
        return [one.name for one in self.present if not one.by_split.get(split)]

    @property
    def few(self) -> list[str]:
        """Name the classes with fewer than ten images."""
        return [one.name for one in self.present if one.total < FEW]


def count_balance(
    labels: npt.NDArray[np.int32],
    classes: Sequence[str],
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
) -> Balance:
    """Count each class in each split.

    Parameters
    ----------
    labels
        int32 (n,) into `classes`, -1 for none.
    classes
        Names.
    splits, groups
        Of each row; "" for none.
    """
    labelled = labels >= 0
    order = {"train": 0, "val": 1, "test": 2, "": 3}
    names = tuple(sorted(set(splits[labelled].tolist()), key=lambda name: order.get(name, 9)))
    counts = {
        s: np.bincount(labels[labelled & (splits == s)], minlength=len(classes)) for s in names
    }
    units: list[set[str]] = [set() for _ in classes]
    for row in np.flatnonzero(labelled).tolist():
        units[labels[row]].add(groups[row] or f"\0{row}")
    found = [
        ClassBalance(
            name=name,
            total=int(sum(counts[s][i] for s in names)),
            by_split={s: int(counts[s][i]) for s in names},
            groups=len(units[i]),
        )
        for i, name in enumerate(classes)
    ]
    found.sort(key=lambda one: -one.total)
    return Balance(names, tuple(found), int((~labelled).sum()))
