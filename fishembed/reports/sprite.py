"""Many small images in one: a page holds hundreds of them for the price of a few large ones."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import ImageBytes, ImageFiles, read_bytes
from fishembed.reports.thumbnails import open_reduced

TILE = (96, 72)
"""Width and height of each image in pixels; it is fitted inside."""

_COLUMNS = 24
_QUALITIES = (72, 55, 38, 22)
_MOST_BYTES = 650_000
_THREADS = 4


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
