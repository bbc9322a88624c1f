"""Small copies of images for a page."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import ImageBytes, ImageFiles, decode, read_bytes

BOX = (336, 252)
"""Largest width and height in pixels; pages show them at two thirds of that."""

_QUALITY = 78
_THREADS = 4
_BROWSERS_READ = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif"})


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG as a data URI.

    Attributes
    ----------
    uri
        The data.
    width, height
        In pixels.
    original
        Where the page finds the file itself, for the large view; "" where no browser could.
    """

    uri: str
    width: int
    height: int
    original: str = ""


def thumbnails(
    photos: ImageFiles,
    paths: Iterable[str],
    *,
    box: tuple[int, int] = BOX,
    home: Path | None = None,
) -> dict[str, Thumbnail]:
    """Make thumbnails; those that cannot be read are left out.

    Parameters
    ----------
    photos
        Finds them.
    paths
        As a store keeps them, each once.
    box
        Largest width and height in pixels.
    home
        Folder of the page, for `Thumbnail.original`; None where the files are not to be named.
    """

    def make(path: str) -> Thumbnail | None:
        file = photos.at(path)
        small = thumbnail(file, box)
        if small is None or home is None:
            return small
        return replace(small, original=original_place(file, home))

    wanted = list(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        made = pool.map(make, wanted)
        return {path: small for path, small in zip(wanted, made, strict=True) if small}


def original_place(file: Path | ImageBytes, home: Path) -> str:
    """Return where a page in `home` finds an image's file; "" where no browser could show it."""
    if not isinstance(file, Path) or file.suffix.lower() not in _BROWSERS_READ:
        return ""
    try:
        return quote(os.path.relpath(file.absolute(), home).replace(os.sep, "/"))
    except (ValueError, UnicodeEncodeError):  # another drive, or a name that is no text
        return ""


def thumbnail(file: Path | ImageBytes, box: tuple[int, int] = BOX) -> Thumbnail | None:
    """Make the thumbnail of a file; None where it cannot be read."""
    try:
        image = open_reduced(read_bytes(file), 2 * max(box))[1]
    except (ImageError, ValueError):  # ValueError: a name no file can have
        return None
    image.thumbnail(box)
    # A report is handed on; what a photo says of its place and owner is not.
    image.info.clear()
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return Thumbnail(f"data:image/jpeg;base64,{text}", *image.size)


def open_reduced(data: bytes, side: int) -> tuple[tuple[int, int], Image.Image]:
    """Return an image's size as it is stored, and the upright image.

    A JPEG larger than `side` is decoded at a half to an eighth of its size, which is far quicker.
    """
    sizes: list[tuple[int, int]] = []

    def at_least(size: tuple[int, int]) -> tuple[int, int]:
        sizes.append(size)
        return side, side

    image = decode(data, at_least=at_least)
    return sizes[0], image
