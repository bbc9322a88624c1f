"""Small copies of images for a page."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable, Sequence
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


TILE = (96, 72)
"""Width and height of each image in pixels; it is fitted inside."""

_COLUMNS = 24
_QUALITIES = (72, 55, 38, 22)
_MOST_BYTES = 650_000


@dataclass(frozen=True)
class Sprite:
    """Small images side by side, row by row.

    Attributes
    ----------
    uri
        A JPEG as a data URI.
    columns
        Images in a row.
    place
        Path to number, from 0; images that could not be read are left out.
    sizes
        Width and height of each image within its tile, by number.
    """

    uri: str
    columns: int
    place: dict[str, int]
    sizes: tuple[tuple[int, int], ...]


def make_sprite(photos: ImageFiles, paths: Sequence[str]) -> Sprite | None:
    """Read images, small, into one; None where none can be read.

    Parameters
    ----------
    photos
        Finds them.
    paths
        As a store keeps them, each once.
    """
    with ThreadPoolExecutor(_THREADS) as pool:
        made = list(pool.map(lambda path: _tile(photos.at(path)), paths))
    tiles = [(path, tile) for path, tile in zip(paths, made, strict=True) if tile is not None]
    if not tiles:
        return None
    width, height = TILE
    columns = min(_COLUMNS, len(tiles))
    sheet = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * height), "#888")
    for i, (_, tile) in enumerate(tiles):
        sheet.paste(tile, ((i % columns) * width, (i // columns) * height))
    text = base64.b64encode(_encode(sheet)).decode("ascii")
    return Sprite(
        uri=f"data:image/jpeg;base64,{text}",
        columns=columns,
        place={path: i for i, (path, _) in enumerate(tiles)},
        sizes=tuple(tile.size for _, tile in tiles),
    )


def _tile(file: Path | ImageBytes) -> Image.Image | None:
    try:
        image = open_reduced(read_bytes(file), max(TILE))[1]
    except (ImageError, ValueError):  # ValueError: a name no file can have
        return None
    image.thumbnail(TILE)
    image.info.clear()
    return image.convert("RGB")


def _encode(sheet: Image.Image) -> bytes:
    """Encode as finely as the page has room for."""
    data = b""
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        data = buffer.getvalue()
        if len(data) <= _MOST_BYTES:
            break
    return data
