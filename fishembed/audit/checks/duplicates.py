"""Check for duplicates: images with the same bytes, or nearly the same image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.text import counted
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.audit.image_comparison import ComparedPairs, ImageComparison
from fishembed.audit.similar_rows import ConnectedRows, Features, Pairs, similar_pairs
from fishembed.cache import FeatureStore
from fishembed.evaluation.near_duplicates import CopyDetector, Threshold, near_duplicate_threshold
from fishembed.images import ImageFiles

DUPLICATES_CSV = "duplicates.csv"
_OPEN, _GROUPS_SHOWN, _SCENES_SHOWN, _IMAGES_SHOWN = 3, 12, 6, 6
_URGENCY = 50
_HEADINGS = {
    "identical": "with the same bytes",
    "near-duplicate": "near-identical",
    "same scene": "of the same scene",
}


@dataclass(frozen=True)
class DuplicateGroup:
    """Images that are copies of each other."""

    rows: tuple[int, ...]  # Row numbers, two or more
    identical: bool  # Whether all have the same bytes
    same_scene: bool = False  # Whether they are no copies, only alike: a burst, one place

    @property
    def kind(self) -> str:
        """How the images are related: "identical", "near-duplicate" or "same scene"."""
        if self.same_scene:
            return "same scene"
        return "identical" if self.identical else "near-duplicate"


@dataclass(frozen=True)
class Duplicates(CheckResult):
    """Groups of images that a store has more than once."""

    threshold: Threshold  # Cosine from which two images are near-duplicates
    n_pairs: int  # Pairs at or above it
    groups: tuple[DuplicateGroup, ...]  # Copies of one original; largest first
    scenes: tuple[DuplicateGroup, ...]  # Images that are alike but no copies; largest first
    group_of: Indices  # intp (n,): rows that are copies or alike share a number
    # float32 (n,) with the nearest other row; 0 below the threshold
    cosine: npt.NDArray[np.float32]
    part: Indices  # intp (n,): which column of `nearest` each row belongs to
    # (n, n_parts) for each row and part the nearest row there at or above the threshold (-1
    # for none), and its cosine
    nearest: Indices
    nearest_cosine: npt.NDArray[np.float32]

    @property
    def n_identical(self) -> int:
        """Number of groups of equal bytes."""
        return sum(group.identical for group in self.groups)

    @property
    def n_near(self) -> int:
        """Number of groups of near copies."""
        return len(self.groups) - self.n_identical

    @property
    def n_rows(self) -> int:
        """Number of rows in groups."""
        return sum(len(group.rows) for group in self.groups)

    def summary(self) -> dict[str, Any]:
        """Return the numbers of pairs and groups."""
        return {
            "threshold": {"cosine": self.threshold.cosine, "how": self.threshold.how},
            "duplicates": {
                "pairs": self.n_pairs,
                "identical_groups": self.n_identical,
                "near_groups": self.n_near,
                "same_scene_groups": len(self.scenes),
                "rows_in_groups": self.n_rows,
            },
        }

    def sentences(self, classes: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the number of groups and the threshold."""
        near = counted(self.n_near, "group")
        return [
            f"duplicates: {counted(self.n_identical, 'group')} with the same bytes, {near} of near "
            f"copies, {counted(len(self.scenes), 'group')} of the same scene at a cosine of "
            f"{self.threshold.cosine:.4f} or more ({self.threshold.how})"
        ]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return all images of all groups."""
        columns = ("group", "kind", "path", "label", "split", "cosine")
        rows = []
        for number, group in enumerate((*self.groups, *self.scenes), start=1):
            for row in group.rows:
                path, split, label = Table.cells(store, row)
                cosine = round(float(self.cosine[row]), 5)
                rows.append((number, group.kind, path, label, split, cosine))
        return [Table.to_review(DUPLICATES_CSV, columns, rows)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Show the largest groups."""
        about = (
            f"{counted(self.n_identical, 'group')} of photos with the same bytes, {self.n_near:,} "
            f"of near-identical ones, and {len(self.scenes):,} of the same scene: other photos, "
            "such as a burst, whose features are as alike (a cosine of "
            f"{self.threshold.cosine:.4f}, {self.threshold.how.replace('images', 'photos')}). Keep "
            "one of each, or let splits keep them together."
        )
        strips = [
            _strip(store, classes, group)
            for group in (*self.groups[:_GROUPS_SHOWN], *self.scenes[:_SCENES_SHOWN])
        ]
        blocks = [Block("text", about), *strips[:_OPEN]]
        if rest := strips[_OPEN:]:
            blocks.append(Block("folded", rest, f"{counted(len(rest), 'more group')}"))
        left = len(self.groups) + len(self.scenes) - len(strips)
        blocks += Block.more_in(DUPLICATES_CSV, left, "more groups")
        surplus = self.n_rows - len(self.groups)
        text = f"{counted(surplus, 'photo')} too many: near-identical"
        actions = [Action(text, _URGENCY)] if surplus else []
        return Section("near-identical", "Near-identical photos", blocks, actions)


def _strip(store: FeatureStore, classes: Sequence[str], group: DuplicateGroup) -> Block:
    images = [
        Block.image(store, row, ("", classes[store.labels[row]]), (str(store.splits[row]),))
        for row in group.rows[:_IMAGES_SHOWN]
    ]
    heading = f"{len(group.rows)} {_HEADINGS[group.kind]}"
    if len(group.rows) > len(images):
        heading += f", {len(images)} of them here"
    return Block("gallery", images, heading)


@register("duplicates", position=50)
def check_duplicates(data: AuditData) -> Duplicates:
    """Find the store's duplicates."""
    parts = data.store.splits
    if data.run is not None:
        parts = np.char.add(np.char.add(parts, "/"), data.run.splits)
    return find_store_duplicates(data.store, parts, data.threshold, data.images)


def store_threshold(store: FeatureStore, cosine: float | None, seed: int) -> Threshold:
    """Return the threshold for near-duplicates: the given cosine, or one chosen from the data."""
    return near_duplicate_threshold(
        store.features, store.labels, store.groups, cosine=cosine, seed=seed, hashes=store.hashes
    )


def find_store_duplicates(
    store: FeatureStore,
    parts: npt.NDArray[np.str_],
    threshold: Threshold,
    images: ImageFiles | None,
) -> Duplicates:
    """Find a store's duplicates by its features and hashes, and its images where at hand."""
    detector = CopyDetector(threshold, store.hashes, store.groups)
    comparison = None if images is None else ImageComparison(store, images)
    return find_duplicates(
        store.features, store.digests, parts, threshold, detector, comparison=comparison
    )


def find_duplicates(
    features: Features,
    digests: Sequence[str],
    parts: npt.NDArray[np.str_],
    threshold: Threshold,
    detector: CopyDetector | None = None,
    *,
    comparison: ImageComparison | None = None,
) -> Duplicates:
    """Find duplicates among images.

    Every pair of rows of `features` (n, dim) is compared, so the time grows with n², the memory
    with n. `digests` are SHA-256 of the files, "" where not known; `parts` is text (n,), such as
    splits: the nearest row of each part is found. Without a `detector`, which compares pixels, all
    that is alike counts as a copy. A `comparison` reads the images themselves, for the pairs
    whose features are most alike.
    """
    part = np.unique(parts, return_inverse=True)[1].astype(np.intp)
    nearest = _NearestByPart(part)
    alike_rows, copied_rows = ConnectedRows(len(features)), ConnectedRows(len(features))
    for rows in (alike_rows, copied_rows):
        rows.connect_equal(digests)
    compared = None if comparison is None else ComparedPairs(comparison, digests, detector)
    lowest = None if comparison is None else min(threshold.confirmed, threshold.cosine)
    n_pairs = 0
    for pairs in similar_pairs(features, threshold.cosine, detector=detector, lowest=lowest):
        alike = pairs.where(pairs.alike)
        n_pairs += len(alike.first)
        nearest.update(alike)
        alike_rows.connect(alike.first, alike.second)
        if compared is None:
            copied_rows.connect(alike.first[alike.copies], alike.second[alike.copies])
        else:
            compared.add(pairs)
    for first, second in [] if compared is None else compared.copies():
        alike_rows.connect(first, second)
        copied_rows.connect(first, second)
    group_of, original_of = alike_rows.groups(), copied_rows.groups()
    return Duplicates(
        threshold=threshold,
        n_pairs=n_pairs,
        groups=_groups(original_of, digests),
        scenes=_scenes(group_of, original_of),
        group_of=group_of,
        cosine=nearest.cosine.max(axis=1, initial=0),
        part=part,
        nearest=nearest.row,
        nearest_cosine=nearest.cosine,
    )


def _rows_by_group(group_of: Indices) -> list[tuple[int, ...]]:
    """Return the rows of each group of two or more, largest first."""
    order = np.argsort(group_of, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(group_of[order])) + 1)
    several = (tuple(rows.tolist()) for rows in groups if len(rows) > 1)
    return sorted(several, key=lambda rows: (-len(rows), rows[0]))


def _groups(original_of: Indices, digests: Sequence[str]) -> tuple[DuplicateGroup, ...]:
    known = ((rows, {digests[row] for row in rows}) for rows in _rows_by_group(original_of))
    return tuple(DuplicateGroup(rows, len(own) == 1 and "" not in own) for rows, own in known)


def _scenes(group_of: Indices, original_of: Indices) -> tuple[DuplicateGroup, ...]:
    """Return the groups of alike rows that are copies of more than one original."""
    return tuple(
        DuplicateGroup(rows, identical=False, same_scene=True)
        for rows in _rows_by_group(group_of)
        if len({original_of[row] for row in rows}) > 1
    )


class _NearestByPart:
    """The nearest row of each part for each row, updated with pairs as they come."""

    def __init__(self, part: Indices) -> None:
        shape = len(part), int(part.max(initial=0)) + 1
        self._part = part
        self.row = np.full(shape, -1, np.intp)
        self.cosine = np.zeros(shape, np.float32)

    def update(self, pairs: Pairs) -> None:
        for row, other in ((pairs.first, pairs.second), (pairs.second, pairs.first)):
            at = row * self.cosine.shape[1] + self._part[other]
            best = self.cosine.reshape(-1)
            np.maximum.at(best, at, pairs.cosine)
            nearest = pairs.cosine == best[at]
            self.row.reshape(-1)[at[nearest]] = other[nearest]
