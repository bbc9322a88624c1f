"""Camera RAW: its preview where that is large enough, else the developed image (rawpy)."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image

from fishembed.errors import ImageError
from fishembed.images.decoding.decode_limits import decode_memory
from fishembed.images.decoding.formats import has_package, missing_reason

ENOUGH = 640
"""Pixels of a preview's shorter side from which on nothing is developed: encoders read 224 to 448,
and cameras' small thumbnails have 120 to 480."""

_HALVED = 2048
"""Pixels of the shorter side from which on each four sensor cells become one pixel."""

_CELL_BYTES = 14
"""Bytes of developing for each cell: its value, four of 16 bits, and the result."""

_STARTS = (
    b"FUJIFILMCCD-RAW",
    b"II*\0\x10\0\0\0CR",
    b"II\x1a\0\0\0HEAPCCDR",
    b"IIU\0",
    b"IIRO",
    b"IIRS",
    b"MMOR",
    b"FOVb",
    b"\0MRM",
    b"IIII",
    b"MMMM",
)
_SENSOR_CELLS = {32803, 34892}
"""Photometric interpretations of a colour filter's cells, and of linear RAW."""

_RAW_COMPRESSIONS = {32767, 32769, 32770, 34713, 65000, 65535}
_WIDTH, _COMPRESSION, _PHOTOMETRIC, _SUB_FOLDERS, _DNG = 256, 259, 262, 330, 50706
_MOST_TAGS = 512
_SIZES = {1: "B", 3: "H", 4: "I", 13: "I"}
_TURNED = {3: 3, 5: 8, 6: 6}
"""LibRaw's turns as EXIF's orientations."""


def is_raw(data: bytes) -> bool:
    """Return whether bytes are a camera's RAW file; most are TIFFs that begin with a preview."""
    if data.startswith(_STARTS) or data[4:12] == b"ftypcrx ":
        return True
    if data[:4] not in {b"II*\0", b"MM\0*"}:
        return False
    order = "<" if data.startswith(b"II") else ">"
    try:
        (first,) = struct.unpack_from(f"{order}I", data, 4)
        tags = dict(_tags(data, first, order))
        folders = [tags, *(dict(_tags(data, at, order)) for at in tags.get(_SUB_FOLDERS, ())[:8])]
    except struct.error:
        return False
    return _DNG in tags or any(
        _SENSOR_CELLS.intersection(one.get(_PHOTOMETRIC, ()))
        or _RAW_COMPRESSIONS.intersection(one.get(_COMPRESSION, ()))
        for one in folders
    )


def _tags(data: bytes, at: int, order: str) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Yield the whole numbers in a folder of a TIFF, by tag."""
    (n,) = struct.unpack_from(f"{order}H", data, at)
    for number in range(min(n, _MOST_TAGS)):
        entry = at + 2 + 12 * number
        tag, kind, count = struct.unpack_from(f"{order}HHI", data, entry)
        if kind not in _SIZES or count > _MOST_TAGS:
            continue
        form = f"{order}{count}{_SIZES[kind]}"
        place = entry + 8
        if struct.calcsize(form) > 4:
            (place,) = struct.unpack_from(f"{order}I", data, place)
        yield tag, struct.unpack_from(form, data, place)


def raw_image(data: bytes, max_pixels: int) -> Image.Image:
    """Return the image of a RAW file in RGB, with its orientation in EXIF where not upright.

    `ImageError` is raised when rawpy is not installed, or the image has more than `max_pixels`.
    """
    if not has_package("rawpy"):
        raise ImageError(missing_reason("raw"))
    import rawpy

    with rawpy.imread(io.BytesIO(data)) as raw:
        sizes = raw.sizes
        if sizes.width * sizes.height > max_pixels:
            raise ImageError(
                f"{sizes.width} × {sizes.height} is above the limit of {max_pixels:,} pixels "
                "(--max-pixels)"
            )
        preview = _preview(rawpy, raw)
        if preview is not None and min(preview.size) >= min(ENOUGH, sizes.width, sizes.height):
            return preview
        half = min(sizes.width, sizes.height) >= _HALVED
        with decode_memory.reserved(sizes.width * sizes.height * _CELL_BYTES, max_pixels):
            pixels: npt.NDArray[np.uint8] = raw.postprocess(use_camera_wb=True, half_size=half)
    return Image.fromarray(pixels)


def _preview(rawpy: Any, raw: Any) -> Image.Image | None:
    """Return the preview, with the camera's orientation where it has none itself."""
    try:
        found = raw.extract_thumb()
        if found.format != rawpy.ThumbFormat.JPEG:
            return _oriented(Image.fromarray(found.data), raw.sizes.flip)
        image: Image.Image = Image.open(io.BytesIO(found.data), formats=("JPEG",))
        return image if _has_orientation(image) else _oriented(image, raw.sizes.flip)
    except (rawpy.LibRawError, OSError, ValueError, TypeError):
        return None


def _has_orientation(image: Image.Image) -> bool:
    try:
        return ExifTags.Base.Orientation in image.getexif()
    except Exception:  # a malformed tag block raises anything
        return False


def _oriented(image: Image.Image, flip: int) -> Image.Image:
    image.getexif()[ExifTags.Base.Orientation] = _TURNED.get(flip, 1)
    return image
