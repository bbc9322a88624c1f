"""Check for test images with a counterpart in training: same group, same bytes, near-duplicate."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.splits import SPLITS
from fishembed._base.text import counted, listed, printable
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.audit.checks.duplicates import Duplicates
from fishembed.audit.run_scores import RunScores, score_run
from fishembed.cache import FeatureStore
from fishembed.reports.wording import percent, split_photos

LEAKS_CSV = "leaks.csv"
KINDS = {
    "identical": "byte for byte",
    "near-duplicate": "near-identical",
    "group": "by their group",
}
_ALIKE = {"identical": "the same file", "near-duplicate": "near-identical", "group": "same group"}
_PAIRS_SHOWN = 12
_SERIOUS = 0.01
_URGENT, _LATER = 10, 30
_DIVIDE = (
    "What leaks flatters every score. Divide again, so that what belongs together stays on one "
    "side, and fit again:"
)


@dataclass(frozen=True)
class Leak:
    """One image of a later split that has a counterpart in an earlier one."""

    row: int  # The image
    split: str
    other: int  # Its counterpart: the nearest, or one of its group
    other_split: str
    kind: str  # "identical" bytes, "near-duplicate", or of one "group"; the strongest that holds
    cosine: float  # Of the two; NaN where only their group is the same


@dataclass(frozen=True)
class Leaks(CheckResult):
    """Images with a counterpart in an earlier split."""

    found: tuple[Leak, ...]  # One for each image and earlier split
    sizes: dict[str, int]  # Rows of each split
    shared_groups: tuple[str, ...]  # Named groups with rows in more than one split
    has_groups: bool  # Whether any row names a group
    # Of a run, with and without what leaks; None where no run was named
    scores: RunScores | None = None

    def rows(self, split: str, *kinds: str) -> list[int]:
        """Return the leaking rows of a split, of some kinds or of all."""
        wanted = kinds or KINDS
        return sorted({one.row for one in self.found if one.split == split and one.kind in wanted})

    @property
    def counts(self) -> Iterator[tuple[str, int, int]]:
        """Each later split with its numbers of leaking rows and of all rows."""
        for split in ("test", "val"):
            if split in self.sizes:
                yield split, len(self.rows(split)), self.sizes[split]

    def summary(self) -> dict[str, Any]:
        """Return the number of leaking rows by split and kind, and the run's scores."""
        leaks = {
            "splits": self.sizes,
            "groups_on_both_sides": len(self.shared_groups),
            "affected": {
                split: {
                    "any": len(self.rows(split)),
                    **{kind.replace("-", "_"): len(self.rows(split, kind)) for kind in KINDS},
                }
                for split in SPLITS[1:]
                if split in self.sizes
            },
        }
        return {"leaks": leaks, "scores": self.scores.summary() if self.scores else None}

    def sentences(self, classes: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the numbers of leaks, and the run's scores without them."""
        scores = [f"scores: {self.scores.sentence()}"] if self.scores else []
        return [f"leaks: {' '.join(self._explained())}", *scores]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return the tables that list all leaks."""
        columns = ("path", "split", "label", "kind", "other", "other_split", "cosine")
        rows = []
        for one in self.found:
            other = store.paths[one.other], one.other_split
            cosine = "" if math.isnan(one.cosine) else round(one.cosine, 5)
            rows.append((*Table.cells(store, one.row), one.kind, *other, cosine))
        return [Table.to_review(LEAKS_CSV, columns, rows)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Show the nearest leaks, each beside its counterpart."""
        blocks = [Block("text", sentence) for sentence in self._explained()]
        if self.found:
            blocks.append(Block("text", _DIVIDE))
        if self.found or len(self.sizes) < 2:
            blocks.append(Block.command("split", str(store.path), "--group-duplicates"))
        nearest = sorted(self.found, key=lambda one: -np.nan_to_num(one.cosine, nan=-1.0))
        pairs = []
        for leak in nearest[:_PAIRS_SHOWN]:
            near = "" if math.isnan(leak.cosine) else f" ({leak.cosine:.3f})"
            how = f"in {leak.other_split}, {_ALIKE[leak.kind]}{near}:"
            pairs.append(
                tuple(
                    Block.image(store, row, (words, classes[store.labels[row]]))
                    for row, words in ((leak.row, f"in {leak.split}:"), (leak.other, how))
                )
            )
        if pairs:
            about = (
                f"The nearest {len(pairs)} of {len(self.found):,}: the photo, and its counterpart "
                f"in an earlier split. All are in {LEAKS_CSV}."
            )
            blocks += [Block("note", about), Block("pairs", pairs)]
        if self.scores:
            heading = ("What", printable(self.scores.run), "reaches with and without them")
            blocks.append(Block("scores", self.scores.tiles(), heading))
        return Section("leaks", "Leaks between the splits", blocks, self._actions())

    def _actions(self) -> list[Action]:
        if len(self.sizes) < 2:
            return [Action("divide into train and test", _URGENT)]
        for split, n, size in self.counts:
            if n:
                words = (
                    f"divide again: {n:,} {split_photos(split, n)} {'leaks' if n == 1 else 'leak'}"
                )
                return [Action(words, _URGENT if n >= _SERIOUS * size else _LATER)]
        return []

    def _explained(self) -> list[str]:
        if len(self.sizes) < 2:
            return [
                "The store has no two splits, so nothing can leak yet: 'fishembed split' makes "
                "them and keeps together what belongs together."
            ]
        lines = []
        for split, n, size in self.counts:
            if not n:
                lines.append(f"None of the {size:,} {split_photos(split)} has a counterpart.")
                continue
            kinds = [(len(self.rows(split, kind)), how) for kind, how in KINDS.items()]
            why = listed([f"{count:,} {how}" for count, how in kinds if count])
            lines.append(
                f"{n:,} of {size:,} {split_photos(split)} ({percent(n / size)}%) have a "
                f"counterpart in an earlier split: {why}."
            )
        if self.shared_groups:
            lines.append(
                f"{counted(len(self.shared_groups), 'group')} stand in more than one split."
            )
        if not self.has_groups:
            lines.append("The store names no groups, so only likeness could be looked at.")
        return lines


@register("leaks", position=10, needs=("duplicates",))
def check_leaks(data: AuditData) -> Leaks:
    """Find the store's leaks, and score the run without them."""
    store, duplicates = data.store, data.result(Duplicates)
    leaks = find_leaks(store.splits, store.groups, store.digests, duplicates)
    if data.run is None:
        return leaks
    run_leaks = find_leaks(data.run.splits, store.groups, store.digests, duplicates)
    return replace(leaks, scores=score_run(data.run, run_leaks.rows("test")))


def find_leaks(
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
    digests: Sequence[str],
    duplicates: Duplicates,
) -> Leaks:
    """Find images of test (and val) that have a counterpart in train (or val).

    `splits`, `groups` and `digests` are text (n,), "" for none; the parts of `duplicates` must
    not be divided by the splits.
    """
    found: list[Leak] = []
    first_row: dict[tuple[str, str], int] = {}  # of each group in each split
    for row, (group, split) in enumerate(zip(groups, splits.tolist(), strict=True)):
        if group and split:
            first_row.setdefault((group, split), row)
    # A leak belongs to the later split: of test against train, not of train against test.
    for later, earlier in (("val", "train"), ("test", "train"), ("test", "val")):
        parts = np.unique(duplicates.part[splits == earlier])
        for row in np.flatnonzero(splits == later).tolist() if len(parts) else []:
            best = parts[duplicates.nearest_cosine[row, parts].argmax()]
            other = int(duplicates.nearest[row, best])
            if other >= 0:
                kind = "identical" if digests[row] == digests[other] != "" else "near-duplicate"
                cosine = float(duplicates.nearest_cosine[row, best])
                found.append(Leak(row, later, other, earlier, kind, cosine))
            elif (groups[row], earlier) in first_row:
                other = first_row[groups[row], earlier]
                found.append(Leak(row, later, other, earlier, "group", math.nan))
    found.sort(key=lambda one: (SPLITS.index(one.split), one.row, SPLITS.index(one.other_split)))
    n_splits = Counter(group for group, _ in first_row)
    return Leaks(
        found=tuple(found),
        sizes={name: int((splits == name).sum()) for name in SPLITS if (splits == name).any()},
        shared_groups=tuple(sorted(group for group, n in n_splits.items() if n > 1)),
        has_groups=any(groups),
    )
