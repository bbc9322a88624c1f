"""Pictures that are odd as pictures: blank, tiny, nearly grey, or very long."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from fishembed._base.progress import Progress
from fishembed.errors import ImageError
from fishembed.images import Blob, Photos, decode, read_bytes
from fishembed.images.decode import quiet_decoding

TINY = 32
"""Pixels of the shorter side below which a picture holds little."""

LONG = 4.0
"""Longer side by shorter side from which a square crop loses most of a picture."""

BLANK = 3.0
"""Standard deviation of the brightness (0 to 255) below which nothing can be seen."""

GREY = 4.0
"""Mean difference between a pixel's largest and smallest channel (0 to 255) below which a
picture has no colour."""

_SIDE = 256
_THREADS = 4
_AT_ONCE = 512


@dataclass(frozen=True)
class Look:
    """What a picture looks like.

    Attributes
    ----------
    width, height
        Pixels, upright.
    contrast
        Standard deviation of the brightness.
    colour
        Mean difference between the largest and the smallest channel.
    """

    width: int
    height: int
    contrast: float
    colour: float

    @property
    def ratio(self) -> float:
        """Longer side by shorter side."""
        return max(self.width, self.height) / min(self.width, self.height)

    def reasons(self) -> list[str]:
        """Say what is odd about it, in words."""
        said = []
        if min(self.width, self.height) < TINY:
            said.append(f"tiny: {self.width} × {self.height} pixels")
        if self.ratio >= LONG:
            said.append(f"very long: {self.width} × {self.height} pixels, {self.ratio:.1f} to 1")
        if self.contrast < BLANK:
            said.append(f"blank: brightness varies by {self.contrast:.1f} of 255")
        elif self.colour < GREY:
            said.append(f"nearly grey: channels differ by {self.colour:.1f} of 255")
        return said


@dataclass(frozen=True)
class Oddities:
    """Odd pictures, and whether the photos could be looked at.

    Attributes
    ----------
    found
        (row, reasons), in the store's order.
    looked
        Pictures that were read.
    unread
        Rows whose picture is missing, is no longer the one encoded, or cannot be read.
    grey_are_many
        Whether more than half are nearly grey: then that is what the pictures are like, and
        it is not listed.
    missing
        Why nothing was looked at; "" where something was.
    """

    found: tuple[tuple[int, tuple[str, ...]], ...]
    looked: int
    unread: tuple[int, ...]
    grey_are_many: bool
    missing: str


def find_oddities(
    photos: Photos, paths: Sequence[str], reporter: Progress | None = None
) -> Oddities:
    """Read every photo, small, and list the odd ones.

    Parameters
    ----------
    photos
        Finds them.
    paths
        Of each row.
    reporter
        Hears how far it is.
    """
    looks: list[Look | None] = []
    with quiet_decoding():
        for seen in _looks(photos, paths):
            looks.append(seen)
            if reporter is not None:
                reporter.update(len(looks), len(paths), "looking at photos")
    read = [look for look in looks if look is not None]
    grey = sum(look.colour < GREY for look in read)
    grey_are_many = 2 * grey > len(read) > 0
    found = []
    for row, look in enumerate(looks):
        said = look.reasons() if look else []
        if grey_are_many:
            said = [reason for reason in said if not reason.startswith("nearly grey")]
        if said:
            found.append((row, tuple(said)))
    unread = tuple(row for row, look in enumerate(looks) if look is None)
    return Oddities(tuple(found), len(read), unread, grey_are_many, "")


def _looks(photos: Photos, paths: Sequence[str]) -> Iterator[Look | None]:
    with ThreadPoolExecutor(_THREADS) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            yield from pool.map(look, [photos.at(path) for path in paths[start : start + _AT_ONCE]])


def look(file: Path | Blob) -> Look | None:
    """Look at a picture; None where it cannot be read."""
    try:
        data = read_bytes(file)
        (width, height), image = _small(data)
    except (ImageError, ValueError):  # ValueError: a name no file can have
        return None
    pixels = np.asarray(image, np.float32)
    colour = pixels.max(axis=2) - pixels.min(axis=2)
    brightness = pixels @ np.array([0.299, 0.587, 0.114], np.float32)
    return Look(width, height, float(brightness.std()), float(colour.mean()))


def _small(data: bytes) -> tuple[tuple[int, int], Image.Image]:
    """Give a picture's own size, and the picture at 256 pixels or less."""
    image = None
    size = (0, 0)
    if data.startswith(b"\xff\xd8"):
        try:
            with Image.open(io.BytesIO(data), formats=("JPEG", "MPO")) as opened:
                size = opened.size
                opened.draft("RGB", (_SIDE, _SIDE))
                image = opened.convert("RGB")
        except Exception:  # whatever is odd about this file, the careful way decides
            image = None
    if image is None:
        image = decode(data)
        size = image.size
    image.thumbnail((_SIDE, _SIDE), Image.Resampling.BOX)
    return size, image
