"""Check how many images each class has, in each split."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted, listed, printable
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.cache import FeatureStore

BALANCE_CSV = "balance.csv"
FEW = 10
"""Images below which a class's scores are mostly luck."""
_NAMED = 6
_URGENCY = 60


@dataclass(frozen=True)
class ClassBalance:
    """Numbers of images of one class."""

    name: str  # The class
    total: int  # Its images
    by_split: dict[str, int]  # Images in each split
    groups: int  # Number of its groups; a row without a group counts as one


@dataclass(frozen=True)
class Balance(CheckResult):
    """Numbers of images of every class in every split."""

    splits: tuple[str, ...]  # The splits that labelled rows have; "" for none
    classes: tuple[ClassBalance, ...]  # Largest first; classes without any image last
    unlabelled: int  # Rows without a label

    @property
    def present(self) -> tuple[ClassBalance, ...]:
        """The classes that have images."""
        return tuple(one for one in self.classes if one.total)

    @property
    def ratio(self) -> float:
        """Images of the largest class for each of the smallest; NaN without classes."""
        return self.present[0].total / self.present[-1].total if self.present else float("nan")

    def missing(self, split: str) -> list[str]:
        """Return the classes that have images, but none in a split."""
        return [one.name for one in self.present if not one.by_split.get(split)]

    @property
    def few(self) -> list[str]:
        """The classes with fewer than ten images."""
        return [one.name for one in self.present if one.total < FEW]

    def summary(self) -> dict[str, Any]:
        """Return the classes that are rare, or missing in a split."""
        return {
            "balance": {
                "classes": len(self.present),
                "unlabelled": self.unlabelled,
                "ratio": None if math.isnan(self.ratio) else self.ratio,
                "classes_with_few": self.few,
                "missing": {split: self.missing(split) for split in self.splits if split},
            }
        }

    def sentences(self, classes: Sequence[str] = ()) -> list[str]:  # noqa: ARG002
        """Return the ratio of the largest to the smallest class, and `notes`."""
        lines = list(self.notes())
        if self.present:
            n_classes = counted(len(self.present), "species", "species")
            lines.insert(0, f"{n_classes}, largest to smallest {self.ratio:,.0f} to 1")
        return [f"balance: {line}" for line in lines]

    def notes(self) -> list[str]:
        """Return sentences on classes that are missing somewhere, or too small."""
        notes = []
        for split in (name for name in self.splits if name):
            if missing := [printable(name) for name in self.missing(split)]:
                count = counted(len(missing), "species", "species")
                notes.append(f"{count} without a photo in {split}: {shortlist(missing)}.")
        if few := [printable(name) for name in self.few]:
            count = counted(len(few), "species", "species")
            notes.append(f"{count} with fewer than ten photos: {shortlist(few)}.")
        if self.unlabelled:
            notes.append(f"{counted(self.unlabelled, 'photo')} without a label.")
        return notes

    def tables(self, store: FeatureStore) -> list[Table]:  # noqa: ARG002
        """Return the counts of every class."""
        columns = ("class", "images", "groups", *(s or "without split" for s in self.splits))
        rows = [
            (one.name, one.total, one.groups, *(one.by_split[s] for s in self.splits))
            for one in self.classes
        ]
        return [Table(BALANCE_CSV, columns, rows)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:  # noqa: ARG002
        """Show the counts of every class."""
        most = max((one.total for one in self.classes), default=1) or 1
        rows = []
        for one in self.classes:
            in_split = (one.by_split[split] or (None if one.total else 0) for split in self.splits)
            rows.append((printable(one.name), one.total / most, (one.total, *in_split, one.groups)))
        blocks = [Block("text", note) for note in self.notes()]
        if self.present:
            about = f"The largest species has {self.ratio:,.0f} times the photos of the smallest."
            blocks.insert(0, Block("text", about))
        if rows:
            columns = ("photos", *(split or "no split" for split in self.splits), "groups")
            blocks.append(Block("counts", (columns, rows)))
        few = counted(len(self.few), "species", "species")
        actions = [Action(f"find more photos of {few}", _URGENCY)] if self.few else []
        return Section("balance", "Balance", blocks, actions)


@register("balance", position=60)
def check_balance(data: AuditData) -> Balance:
    """Count the store's classes."""
    store = data.store
    return count_balance(store.labels, store.classes, store.splits, store.groups)


def shortlist(names: Sequence[str]) -> str:
    """Join names as in a sentence, six at the most."""
    if len(names) <= _NAMED:
        return listed(names)
    return f"{', '.join(names[:_NAMED])} and {len(names) - _NAMED:,} more"


def count_balance(
    labels: npt.NDArray[np.int32],
    classes: Sequence[str],
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
) -> Balance:
    """Count each class in each split.

    `labels` are int32 (n,) into `classes`, -1 for none; `splits` and `groups` text (n,).
    """
    labelled = labels >= 0
    order = {"train": 0, "val": 1, "test": 2, "": 3}
    names = tuple(sorted(set(splits[labelled].tolist()), key=lambda name: order.get(name, 9)))
    counts = {
        s: np.bincount(labels[labelled & (splits == s)], minlength=len(classes)) for s in names
    }
    named: list[set[str]] = [set() for _ in classes]
    for row in np.flatnonzero(labelled).tolist():
        named[labels[row]].add(groups[row] or f"\0{row}")
    found = [
        ClassBalance(
            name=name,
            total=int(sum(counts[s][i] for s in names)),
            by_split={s: int(counts[s][i]) for s in names},
            groups=len(named[i]),
        )
        for i, name in enumerate(classes)
    ]
    found.sort(key=lambda one: -one.total)
    return Balance(names, tuple(found), int((~labelled).sum()))
