"""Result of an extraction: rows, counts, times and how the dataset was read."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.splits import SPLITS
from fishembed._base.text import counted
from fishembed.cache import Rows, is_known
from fishembed.extraction.engine import StageTimes
from fishembed.images import Dataset

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_CLASSES_SHOWN = 4
_COLUMNS_SHOWN = 8
_INSTALL = re.compile(r"pip install '[^']+'")


@dataclass(frozen=True)
class Extraction:
    """Result of an extraction.

    Attributes
    ----------
    store
        Path of the store.
    rows
        Images in it.
    new, changed
        Images that were encoded: those whose path the store did not have, and those whose bytes
        changed or whose trunk embedding was missing. Identical images count once.
    removed
        Images of the store that are no longer in the dataset: retained, or with `prune` removed.
    skipped_files
        (path, reason) of every image that could not be used.
    text_keys
        Prompt sets whose text features the store holds.
    seconds
        From start to end, loading the encoder included.
    encoder, device
        Name of the encoder, and its device, "" where nothing had to be encoded.
    wrote
        Whether the store was written; False where nothing differed.
    stages
        Busy time of each stage of the pipeline.
    layout, notes
        How the dataset was read, in one sentence, and what would change that.
    left_out
        (path, reason) of images that are no samples: formats that are not read, system folders.
    classes, splits
        Rows by class and by split; "" for rows without one.
    metadata
        Names of the metadata columns.
    boxes, frames, videos
        Rows that are parts of images, rows that are frames of videos, and those videos.
    read_as, manifest
        Kind of the dataset: folder, manifest, "manifest beside" the images, boxes or tars; and the
        name of its table, None where none was used.
    scaled
        Paths of images encoded now whose brightness was scaled by their content: 10, 12 or 14 bits
        in 16, dim ones, and grey levels beyond 0 to 1 in floating point.
    """

    store: AnyPath
    rows: int
    new: int
    changed: int
    removed: int
    skipped_files: tuple[tuple[str, str], ...]
    text_keys: tuple[str, ...]
    seconds: float
    encoder: str
    device: str
    wrote: bool
    stages: StageTimes
    layout: str = ""
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()
    classes: Mapping[str, int] = field(default_factory=dict)
    splits: Mapping[str, int] = field(default_factory=dict)
    metadata: tuple[str, ...] = ()
    boxes: int = 0
    frames: int = 0
    videos: int = 0
    read_as: str = ""
    manifest: str | None = None
    scaled: tuple[str, ...] = ()

    @property
    def sentence(self) -> str:
        """Content of the store: images, classes, splits, metadata, and what was left out.

        Such as "3,187 images of 23 classes (Dascyllus reticulatus 1,211 … Balistapus undulatus
        16); train 1,753, val 556, test 878; metadata: site, date; 412 .heic left out: pip install
        'fishembed[heic]'".
        """
        parts = [f"{_rows(self)} {_classes(self.classes)}"]
        unlabelled = self.rows - sum(self.classes.values())
        if self.classes and unlabelled:
            parts.append(f"{unlabelled:,} without a class")
        parts.append(_splits(self.splits))
        if self.metadata:
            shown = list(self.metadata[:_COLUMNS_SHOWN])
            more = len(self.metadata) - len(shown)
            parts.append(f"metadata: {', '.join(shown)}{f' and {more:,} more' if more else ''}")
        if self.skipped:
            parts.append(f"{counted(self.skipped, 'image')} skipped, which cannot be used")
        if self.scaled:
            parts.append(
                f"brightness of {counted(len(self.scaled), 'image')} of 10 to 14 bits, dim or of "
                f"wide range scaled by its content, the first: {self.scaled[0]!r}"
            )
        parts += [
            f"{about['count']:,} {kind} left out: {about['install'] or about['reason']}"
            for kind, about in unread_kinds(self.left_out).items()
        ]
        return "; ".join(parts)

    @property
    def next_command(self) -> str:
        """The next command: `fit` where there are several classes, else `cluster`."""
        verb = "fit" if len(self.classes) > 1 else "cluster"
        return f"fishembed {verb} {shlex.quote(str(self.store))}"

    @property
    def encoded(self) -> int:
        """Number of images that were encoded."""
        return self.new + self.changed

    @property
    def reused(self) -> int:
        """Number of images whose embedding was reused."""
        return self.rows - self.encoded

    @property
    def skipped(self) -> int:
        """Number of images that could not be used."""
        return len(self.skipped_files)

    @property
    def images_per_second(self) -> float:
        """Encoded images per second, from the first file to the last; loading does not count."""
        return self.encoded / self.stages.wall if self.stages.wall > 0 else 0.0


def dataset_facts(dataset: Dataset, rows: Rows, classes: Sequence[str]) -> dict[str, Any]:
    """Return the fields of an `Extraction` on its dataset: how it was read, and counts of rows."""
    numbers = np.bincount(rows.label[rows.label >= 0], minlength=len(classes)).tolist()
    splits = Counter(rows.split)
    frames = np.flatnonzero(~np.isnan(rows.time)) if is_known(rows.time) else ()
    clips = {str(rows.path[int(i)]).rpartition("#t=")[0] for i in frames}
    return {
        "layout": dataset.layout,
        "notes": dataset.notes,
        "left_out": dataset.unread,
        "read_as": dataset.kind,
        "manifest": dataset.table,
        "classes": {name: n for name, n in zip(classes, numbers, strict=True) if n},
        "splits": {name: splits[name] for name in (*SPLITS, "") if splits[name]},
        "metadata": tuple(rows.metadata),
        "frames": len(frames),
        "videos": len(clips),
        "boxes": int((~np.isnan(rows.box[:, 0])).sum()) if is_known(rows.box) else 0,
    }


def unread_kinds(left_out: Sequence[tuple[str, str]]) -> dict[str, dict[str, object]]:
    """Count the files whose format is not read, by ending.

    Returns
    -------
    dict
        By ending, commonest first: `count`, `reason`, and `install`, the command that installs
        support for the format, None where there is none.
    """
    found: dict[str, dict[str, object]] = {}
    counts: Counter[str] = Counter()
    for path, reason in left_out:
        if "not read" not in reason:
            continue
        kind = f".{path.rpartition('.')[2].strip().lower()}"
        counts[kind] += 1
        command = _INSTALL.search(reason)
        found[kind] = {"reason": reason, "install": command[0] if command else None}
    return {kind: {"count": n, **found[kind]} for kind, n in counts.most_common()}


def _rows(result: Extraction) -> str:
    images = result.rows - result.boxes - result.frames
    counts = (
        (images, "image", None),
        (result.boxes, "box", "boxes"),
        (result.frames, "frame", None),
    )
    kinds = [counted(n, one, many) for n, one, many in counts if n]
    if result.videos:
        kinds[-1] += f" of {counted(result.videos, 'video')}"
    return " and ".join(kinds)


def _classes(classes: Mapping[str, int]) -> str:
    if not classes:
        return "without classes"
    ordered = sorted(classes.items(), key=lambda pair: (-pair[1], pair[0]))
    named = [f"{name if name == name.strip() else repr(name)} {n:,}" for name, n in ordered]
    shown = ", ".join(named) if len(named) <= _CLASSES_SHOWN else f"{named[0]} … {named[-1]}"
    return f"of {counted(len(named), 'class', 'classes')} ({shown})"


def _splits(splits: Mapping[str, int]) -> str:
    if not set(splits) - {""}:
        return "no splits"
    there = [split for split in (*SPLITS, "") if splits.get(split)]
    return ", ".join(f"{split or 'no split'} {splits[split]:,}" for split in there)
