"""Check the images themselves: blank, tiny, nearly grey, very long or unreadable ones."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fishembed._base.progress import NoProgress, Progress
from fishembed._base.text import counted
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.audit.checks.outliers import OUTLIERS_CSV, URGENCY, outlier_table, unusual_section
from fishembed.cache import FeatureStore
from fishembed.errors import ImageError
from fishembed.images import ImageBytes, ImageFiles, read_bytes
from fishembed.images.decoding.decode import quiet_decoding
from fishembed.reports.thumbnails import open_reduced

TINY = 32
"""Pixels of the shorter side below which an image holds little."""

LONG = 4.0
"""Longer side by shorter side from which a square crop loses most of an image."""

BLANK = 3.0
"""Standard deviation of the brightness (0 to 255) below which nothing can be seen."""

GREY = 4.0
"""Mean difference between a pixel's largest and smallest channel (0 to 255) below which an
image has no colour."""

_SIDE = 256
_THREADS = 4
_AT_ONCE = 512
_SHOWN = 18


@dataclass(frozen=True)
class ImageProperties:
    """Measures of one image."""

    width: int  # Pixels, upright
    height: int
    contrast: float  # Standard deviation of the brightness
    colour: float  # Mean difference between the largest and the smallest channel

    def reasons(self, *, grey_is_odd: bool = True) -> tuple[str, ...]:
        """Return what is odd about the image, as text."""
        size = f"{self.width} × {self.height} pixels"
        short, long = sorted((self.width, self.height))
        found = []
        if short < TINY:
            found.append(f"tiny: {size}")
        if long / short >= LONG:
            found.append(f"very long: {size}, {long / short:.1f} to 1")
        if self.contrast < BLANK:
            found.append(f"blank: brightness varies by {self.contrast:.1f} of 255")
        elif grey_is_odd and self.colour < GREY:
            found.append(f"nearly grey: channels differ by {self.colour:.1f} of 255")
        return tuple(found)


@dataclass(frozen=True)
class ImageQuality(CheckResult):
    """Odd images, and whether the images could be read."""

    found: tuple[tuple[int, tuple[str, ...]], ...] = ()  # (row, reasons), in the store's order
    n_read: int = 0  # Images that were read
    # Rows whose image is missing, is no longer the one encoded, or cannot be read
    unread: tuple[int, ...] = ()
    # Whether more than half are nearly grey: then that is what the images are like, and it is
    # not listed
    grey_are_many: bool = False
    missing: str = ""  # Why no image was read, in a sentence; "" where some were

    def summary(self) -> dict[str, Any]:
        """Return the numbers of images read, odd and unreadable."""
        return {
            "odd": {
                "found": len(self.found),
                "looked_at": self.n_read,
                "unread": len(self.unread),
                "missing": self.missing,
            }
        }

    def sentences(self, classes: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the numbers of images odd and unreadable."""
        found = self.missing or f"{len(self.found):,} of {self.n_read:,} photos"
        return [f"odd: {found}{f', {len(self.unread):,} unread' if self.unread else ''}"]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return the odd and the unreadable images."""
        reasons = [(row, "odd", "; ".join(reasons)) for row, reasons in self.found]
        reasons += [(row, "unread", "the photo cannot be read") for row in self.unread]
        return [outlier_table(store, reasons)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:  # noqa: ARG002
        """Show odd images with their reasons."""
        heading = Block("heading", "Blank, tiny, nearly grey or very long")
        if self.missing:
            return unusual_section([heading, Block("missing", self.missing)], [])
        about = (
            f"{self.n_read:,} photos were looked at for blank, tiny, nearly grey and very long "
            "ones."
        )
        if self.grey_are_many:
            about += (
                " More than half are nearly grey: that is what these photos are like, and it is "
                "not listed."
            )
        if self.unread:
            about += f" {len(self.unread):,} could not be read."
        images = (
            Block.image(store, row, *((reason,) for reason in reasons))
            for row, reasons in self.found[:_SHOWN]
        )
        n = len(self.found)
        blocks = [heading, Block("text", about)]
        blocks += Block.gallery(images, n, OUTLIERS_CSV, "None is odd.")
        actions = [Action(counted(n, "odd photo"), URGENCY + 1)] if n else []
        if self.unread:
            actions.append(Action(f"{counted(len(self.unread), 'photo')} cannot be read", URGENCY))
        return unusual_section(blocks, actions)


@register("image_quality", position=40, timed_as="photos")
def check_image_quality(data: AuditData) -> ImageQuality:
    """Read all images of the store, where they are at hand."""
    if data.images is None:
        return ImageQuality(missing=data.images_missing)
    return find_odd_images(data.images, data.store.paths, data.progress)


def find_odd_images(
    files: ImageFiles, paths: Sequence[str], progress: Progress | None = None
) -> ImageQuality:
    """Read every image, small, and list the odd ones."""
    progress = progress or NoProgress()
    measured: list[ImageProperties | None] = []
    with quiet_decoding(), ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            some = [files.at(path) for path in paths[start : start + _AT_ONCE]]
            for properties in pool.map(measure_image, some):
                measured.append(properties)
                progress.update(len(measured), len(paths), "looking at photos")
    read = [one for one in measured if one is not None]
    grey_are_many = 2 * sum(one.colour < GREY for one in read) > len(read) > 0
    reasons = [one.reasons(grey_is_odd=not grey_are_many) if one else () for one in measured]
    return ImageQuality(
        found=tuple((row, why) for row, why in enumerate(reasons) if why),
        n_read=len(read),
        unread=tuple(row for row, one in enumerate(measured) if one is None),
        grey_are_many=grey_are_many,
    )


def measure_image(file: Path | ImageBytes) -> ImageProperties | None:
    """Measure an image; None where it cannot be read."""
    try:
        (width, height), image = open_reduced(read_bytes(file), _SIDE)
    except (ImageError, ValueError):  # ValueError: a name no file can have
        return None
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    pixels = np.asarray(image, np.float32)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    brightness = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return ImageProperties(width, height, float(brightness.std()), float(colour.mean()))
