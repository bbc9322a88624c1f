"""Result of an extraction: rows, counts, times and how the dataset was understood."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.splits import SPLITS
from fishembed.cache import Rows, is_known
from fishembed.extraction.read_summary import next_command, read_sentence
from fishembed.extraction.stage_times import StageTimes

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


@dataclass(frozen=True)
class Extraction:
    """What an extraction did.

    Attributes
    ----------
    store
        Where the store lies.
    rows
        Images in it.
    new, changed
        Images that were encoded: those whose path was not in the store before, and those
        whose bytes were others, or whose trunk embedding was missing. Identical ones count once.
    removed
        Images of the store that are no longer in the dataset: kept, or with `prune` gone.
    skipped_files
        (path, reason) of every image that could not be used.
    text_keys
        Prompt sets whose text features the store holds.
    seconds
        From start to end, loading the encoder included.
    encoder, device
        What encoded, and where; the device is "" where nothing had to be encoded.
    wrote
        Whether the store was written; False when everything was there already.
    stages
        How busy each stage of the pipeline was.
    layout, notes
        How the dataset was understood: in one sentence, and what would change that.
    left_out
        (path, reason) of images that are no samples: formats that are not read, system folders.
    classes, splits
        Rows by class and by split; "" for rows without one.
    metadata
        Names of the metadata columns.
    boxes, frames, videos
        Rows that are parts of images, rows that are frames of videos, and those videos.
    read_as, manifest
        What the dataset is: folder, manifest, "manifest beside" the images, boxes or tars; and the
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
        """What was read, for people; see `fishembed.extraction.read_summary`."""
        return read_sentence(self)

    @property
    def next_command(self) -> str:
        """The command to type next."""
        return next_command(self)

    @property
    def encoded(self) -> int:
        """Images that went through the encoder."""
        return self.new + self.changed

    @property
    def reused(self) -> int:
        """Images whose embedding was there already."""
        return self.rows - self.encoded

    @property
    def skipped(self) -> int:
        """Number of images that could not be used."""
        return len(self.skipped_files)

    @property
    def images_per_second(self) -> float:
        """Encoded images by second, from the first file to the last: nothing that was loaded."""
        return self.encoded / self.stages.wall if self.stages.wall > 0 else 0.0


def row_counts(rows: Rows, classes: Sequence[str]) -> dict[str, Any]:
    """Return how many rows each class and each split has, and how many are parts of others."""
    numbers = np.bincount(rows.label[rows.label >= 0], minlength=len(classes)).tolist()
    found = Counter(rows.split)
    labels = {name: n for name, n in zip(classes, numbers, strict=True) if n}
    return {
        "classes": labels,
        "splits": {name: found[name] for name in (*SPLITS, "") if found[name]},
        "metadata": tuple(rows.metadata),
        **_parts(rows),
    }


def _parts(rows: Rows) -> dict[str, int]:
    """Count the rows that are parts of images, or frames of videos, and those videos."""
    frames = np.flatnonzero(~np.isnan(rows.time)) if is_known(rows.time) else ()
    clips = {str(rows.path[int(i)]).rpartition("#t=")[0] for i in frames}
    return {
        "frames": len(frames),
        "videos": len(clips),
        "boxes": int((~np.isnan(rows.box[:, 0])).sum()) if is_known(rows.box) else 0,
    }
