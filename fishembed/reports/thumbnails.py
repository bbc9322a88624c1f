"""Small copies of images for a page: one by one, or hundreds side by side in one."""

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

TILE = (96, 72)
"""Width and height of each image of a sprite in pixels; it is fitted inside."""

_QUALITY = 78
_COLUMNS = 24
_TILE_QUALITIES = (72, 55, 38, 22)
_MOST_BYTES = 650_000
_THREADS = 4
_BROWSERS_READ = frozenset({".jpg", ".jpeg", ".jfif", ".png", ".webp", ".gif", ".bmp", ".avif"})


@dataclass(frozen=True)
class Thumbnail:
    """A small JPEG as a data URI, `width` × `height` pixels large.

    `original` is where the page finds the file itself, for the large view; "" where it cannot.
    """

    uri: str
    width: int
    height: int
    original: str = ""


@dataclass(frozen=True)
class Sprite:
    """Small images side by side, row by row, in a JPEG as a data URI.

    `columns` stand in a row; `place` is each image's number, from 0, by its path, those that could
    not be read left out; `sizes` are width and height of each within its tile, by number.
    """

    uri: str
    columns: int
    place: dict[str, int]
    sizes: tuple[tuple[int, int], ...]


def thumbnails(
    images: ImageFiles,
    paths: Iterable[str],
    *,
    box: tuple[int, int] = BOX,
    home: Path | None = None,
) -> dict[str, Thumbnail]:
    """Make thumbnails of `paths`, each once, that fit into `box`; leave out what cannot be read.

    `home` is the folder of the page, for `Thumbnail.original`; None where the files are not to be
    named.
    """

    def make(path: str) -> Thumbnail | None:
        file = images.at(path)
        small = thumbnail(file, box)
        if small is None or home is None:
            return small
        return replace(small, original=original_place(file, home))

    wanted = list(paths)
    with ThreadPoolExecutor(_THREADS) as pool:
        made = zip(wanted, pool.map(make, wanted), strict=True)
        return {path: small for path, small in made if small}


def thumbnail(file: Path | ImageBytes, box: tuple[int, int] = BOX) -> Thumbnail | None:
    """Make the thumbnail of a file; None where it cannot be read."""
    image = _fitted(file, box, 2 * max(box))
    return None if image is None else Thumbnail(_uri(_jpeg(image, _QUALITY)), *image.size)


def original_place(file: Path | ImageBytes, home: Path) -> str:
    """Return an image file's address for a page in `home`; "" where no browser could show it."""
    if not isinstance(file, Path) or file.suffix.lower() not in _BROWSERS_READ:
        return ""
    try:
        return quote(os.path.relpath(file.absolute(), home).replace(os.sep, "/"))
    except (ValueError, UnicodeEncodeError):  # another drive, or a name that is no text
        return ""


def make_sprite(images: ImageFiles, paths: Sequence[str]) -> Sprite | None:
    """Read small images into one, as finely as a page's size permits; None where none is read."""

    def make(path: str) -> Image.Image | None:
        return _fitted(images.at(path), TILE, max(TILE))

    with ThreadPoolExecutor(_THREADS) as pool:
        made = zip(paths, pool.map(make, paths), strict=True)
        tiles = {path: tile.convert("RGB") for path, tile in made if tile is not None}
    if not tiles:
        return None
    width, height = TILE
    columns = min(_COLUMNS, len(tiles))
    sheet = Image.new("RGB", (columns * width, -(-len(tiles) // columns) * height), "#888")
    for i, tile in enumerate(tiles.values()):
        sheet.paste(tile, ((i % columns) * width, (i // columns) * height))
    data = b""
    for quality in _TILE_QUALITIES:
        data = _jpeg(sheet, quality)
        if len(data) <= _MOST_BYTES:
            break
    return Sprite(
        uri=_uri(data),
        columns=columns,
        place={path: i for i, path in enumerate(tiles)},
        sizes=tuple(tile.size for tile in tiles.values()),
    )


def _fitted(file: Path | ImageBytes, box: tuple[int, int], side: int) -> Image.Image | None:
    """Return an image scaled to fit into `box`; None where it cannot be read."""
    try:
        image = open_reduced(read_bytes(file), side)[1]
    except (ImageError, ValueError):  # ValueError: a name no file can have
        return None
    image.thumbnail(box)
    # Reports are passed on; an image's metadata (place, owner) must not be.
    image.info.clear()
    return image


def _jpeg(image: Image.Image, quality: int) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, optimize=True)
    return buffer.getvalue()


def _uri(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


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
