"""A dataset: its images with label, split, group and metadata."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed.images.decoding.image_bytes import ImageBytes

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

NO_METADATA: Mapping[str, str] = {}
"""One empty mapping for all samples without metadata."""

LeftOut = tuple[tuple[str, str], ...]
"""(name or path, reason) of each."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset.

    Attributes
    ----------
    path
        Relative to the dataset's root with forward slashes, or absolute.
    label
        Name of its class, None where there is none.
    split
        train, val, test or "".
    group
        Name of the samples that must be in one split, or "".
    box
        x, y, width and height in pixels of the part of its image, None for the whole.
    metadata
        Further columns, by name; "" where a value is missing.
    time
        Seconds into its video, None for an image.
    """

    path: str
    label: str | None = None
    split: str = ""
    group: str = ""
    box: tuple[float, float, float, float] | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA, compare=False)
    time: float | None = None


def class_names(samples: Iterable[Sample]) -> list[str]:
    """Return the names of the classes that occur, sorted."""
    return sorted({sample.label for sample in samples if sample.label is not None})


@dataclass(frozen=True)
class Dataset:
    """A list of images in a fixed order.

    Attributes
    ----------
    root
        Absolute folder that relative paths start from.
    name
        Name of its store by default.
    layout
        One sentence on how the dataset was understood.
    samples
        The images, sorted by path for folders, in the file's order for manifests and tars.
    image_bytes
        By path, those of images that are no files of this machine: in a tar, or on another machine.
    notes
        Sentences on how the dataset was interpreted, and how to change it.
    left_out
        (name, reason) of rows that are no samples.
    unread
        (path, reason) of images that are no samples: in formats that are not read, in system
        folders, masks.
    kind
        folder, manifest, "manifest beside" the images, boxes, tars, "hub dataset", or the name of
        what was exported from the field.
    table
        Name of the table with the images' labels, None without one.
    cut
        How boxes are cut, see `BoxOptions.cut`; None where there is none.
    """

    root: AnyPath
    name: str
    layout: str
    samples: tuple[Sample, ...]
    image_bytes: Mapping[str, ImageBytes] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    left_out: LeftOut = field(default=(), repr=False)
    unread: LeftOut = field(default=(), repr=False)
    kind: str = "folder"
    table: str | None = None
    cut: Mapping[str, object] | None = None

    @property
    def blobs(self) -> Mapping[str, ImageBytes]:
        """The image bytes by path, under their name of 0.1.0."""
        return self.image_bytes

    @property
    def items(self) -> tuple[Sample, ...]:
        """The samples, under their name of 0.1.0."""
        return self.samples

    @property
    def classes(self) -> list[str]:
        """Names of the classes that occur, sorted."""
        return class_names(self.samples)

    def at(self, path: str) -> Path | ImageBytes:
        """Return what `read_bytes` reads for the path of a sample."""
        return self.image_bytes.get(path) or Path(str(self.root), path)

    def state(self, path: str) -> tuple[int, int]:
        """Return the size and the time (ns) of an image's file; -1 where that is not known.

        Whether an image is there shows when it is read, and only then. What lies in a tar or
        at a URL has, in place of the time, a number that changes with it.
        """
        if path in self.image_bytes:
            return self.image_bytes[path].state
        return file_state(os.path.join(str(self.root), path))  # noqa: PTH118 - hot loop


def file_state(path: str) -> tuple[int, int]:
    """Return the size and the time (ns) of a file; -1 where there is none."""
    try:
        state = os.stat(path)  # noqa: PTH116 - hot loop
    except (OSError, ValueError):  # ValueError: a manifest's path holds a zero byte
        return -1, -1
    return state.st_size, state.st_mtime_ns
