"""Small copies of images for a page."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import ImageBytes, ImageFiles, decode, read_bytes

BOX = (168, 126)
"""Largest width and height in pixels; pages show them at two thirds of that."""

_QUALITY = 78
_THREADS = 4


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG as a data URI, with its size in pixels."""

    uri: str
    width: int
    height: int


def thumbnails(
    photos: ImageFiles, paths: Iterable[str], *, box: tuple[int, int] = BOX
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
    """
    wanted = list(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        made = pool.map(lambda path: thumbnail(photos.at(path), box), wanted)
        return {path: small for path, small in zip(wanted, made, strict=True) if small}


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
