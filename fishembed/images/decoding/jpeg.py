"""JPEGs by libjpeg-turbo, straight into an array and without Python's lock.

The pixels are those of Pillow, which calls the same library, to the bit; what this module
does not decode (CMYK, broken or cut files) is left to Pillow, which says what is wrong.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from fishembed.errors import ImageError
from fishembed.images.decoding.decode import UPRIGHT, image_orientation
from fishembed.images.decoding.decode_memory import BYTES_PER_PIXEL, decode_memory
from fishembed.images.decoding.jpeg_scans import count_scans

JPEG_START = b"\xff\xd8\xff"
_TELLS_ORIENTATION = (b"Exif\0\0", b"ns.adobe.com/xap")
_HEADER = 1 << 16
"""Bytes in which the segments of EXIF and XMP begin where there are any."""

_SCALES = (8, 4, 2)


def decode_jpeg(
    data: bytes,
    *,
    max_pixels: int,
    at_least: Callable[[tuple[int, int]], tuple[int, int]] | None = None,
) -> npt.NDArray[np.uint8] | None:
    """Decode a whole JPEG in grey or YCbCr, upright.

    Parameters
    ----------
    data
        The file.
    max_pixels
        Width × height above which nothing is decoded.
    at_least
        From the size of the file's image to the (width, height) that suffices; see
        `fishembed.images.decoding.decode`.

    Returns
    -------
    uint8 (height, width, 3), or None where the file is anything else.

    Raises
    ------
    ImageError
        When it has more scans, or decoding it takes more memory, than is allowed.
    """
    if not data.startswith(JPEG_START):
        return None
    scans = count_scans(data)
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
        if colours not in {"YCbCr", "Gray"} or width * height > max_pixels:
            return None
        scale = 1 if at_least is None else _scale((width, height), at_least((width, height)))
        shape = (-(-height // scale), -(-width // scale), 3)
        small = {"min_height": shape[0], "min_width": shape[1]} if scale > 1 else {}
        needed = shape[0] * shape[1] * BYTES_PER_PIXEL
        if scans > 1:  # all coefficients are kept, two bytes each, of three colours
            needed = max(needed, shape[0] * shape[1] * 3 + width * height * 6)
        with decode_memory.reserved(needed, max_pixels):
            pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, **small)
    except ImageError:
        raise
    except (ValueError, RuntimeError, MemoryError):
        return None
    if pixels.shape != shape:
        return None
    turn = UPRIGHT.get(orientation(data))
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def jpeg_scale(
    data: bytes, at_least: Callable[[tuple[int, int]], tuple[int, int]]
) -> int | tuple[int, int]:
    """Return by what the sides of a file are divided when it is decoded; 1 for other formats.

    Where Pillow decides, as for JPEGs in CMYK, the size that was asked for.
    """
    if not data.startswith(JPEG_START):
        return 1
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, RuntimeError, MemoryError):
        return at_least((1 << 16, 1 << 16))
    enough = at_least((width, height))
    return _scale((width, height), enough) if colours in {"YCbCr", "Gray"} else enough


def orientation(data: bytes) -> int:
    """Return the orientation that EXIF or XMP tells, 1 to 8; 1 where it is missing or broken."""
    if not any(data.find(name, 0, _HEADER) >= 0 for name in _TELLS_ORIENTATION):
        return 1
    try:
        return image_orientation(Image.open(io.BytesIO(data), formats=("JPEG",)))
    except (OSError, ValueError, SyntaxError):
        return 1


def _scale(size: tuple[int, int], enough: tuple[int, int]) -> int:
    """Return the largest of 8, 4, 2 and 1 that leaves an image no smaller than `enough`."""
    most = min(side // max(1, wanted) for side, wanted in zip(size, enough, strict=True))
    return next((scale for scale in _SCALES if scale <= most), 1)
