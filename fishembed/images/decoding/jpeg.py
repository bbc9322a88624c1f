"""JPEGs by libjpeg-turbo, straight into an array and without Python's lock.

The pixels are those of Pillow, which calls the same library, to the bit; what this module
does not decode (CMYK, broken or cut files) is left to Pillow, which reports the error.
"""

from __future__ import annotations

import io

import numpy as np
import numpy.typing as npt
import simplejpeg
from PIL import Image

from fishembed.errors import ImageError
from fishembed.images.decoding.decode import AtLeast, image_orientation, upright
from fishembed.images.decoding.decode_limits import BYTES_PER_PIXEL, count_scans, decode_memory

JPEG_START = b"\xff\xd8\xff"
_ORIENTATION_MARKS = (b"Exif\0\0", b"ns.adobe.com/xap")
_HEADER = 1 << 16
"""Bytes in which the segments of EXIF and XMP begin where there are any."""

_SCALES = (8, 4, 2)


def plain_jpeg_size(data: bytes) -> tuple[int, int] | None:
    """Return the (width, height) of a JPEG in grey or YCbCr as it is stored; None for others."""
    if not data.startswith(JPEG_START):
        return None
    try:
        height, width, colours, _ = simplejpeg.decode_jpeg_header(data)
    except (ValueError, RuntimeError, MemoryError):  # decoding it reports the error
        return None
    return (width, height) if colours in {"YCbCr", "Gray"} else None


def decode_jpeg(
    data: bytes, *, max_pixels: int, at_least: AtLeast | None = None
) -> npt.NDArray[np.uint8] | None:
    """Decode a whole JPEG in grey or YCbCr, upright; see `decode_pixels` for the parameters.

    Returns
    -------
    uint8 (height, width, 3), or None where the file is anything else.

    Raises
    ------
    ImageError
        When it has more scans, or decoding it needs more memory, than is allowed.
    """
    scans = count_scans(data) if data.startswith(JPEG_START) else 1
    size = plain_jpeg_size(data)
    if size is None or size[0] * size[1] > max_pixels:
        return None
    width, height = size
    scale = 1 if at_least is None else _scale(size, at_least(size))
    shape = (-(-height // scale), -(-width // scale), 3)
    small = {"min_height": shape[0], "min_width": shape[1]} if scale > 1 else {}
    needed = shape[0] * shape[1] * BYTES_PER_PIXEL
    if scans > 1:  # all coefficients are in memory, two bytes each, of three colours
        needed = max(needed, shape[0] * shape[1] * 3 + width * height * 6)
    try:
        with decode_memory.reserved(needed, max_pixels):
            pixels: npt.NDArray[np.uint8] = simplejpeg.decode_jpeg(data, **small)
    except ImageError:
        raise
    except (ValueError, RuntimeError, MemoryError):
        return None
    return upright(pixels, orientation(data)) if pixels.shape == shape else None


def jpeg_scale(data: bytes, at_least: AtLeast) -> int | None:
    """Return the divisor of the sides of a file when decoded; 1 for other formats.

    None where Pillow decides, as for JPEGs in CMYK.
    """
    if size := plain_jpeg_size(data):
        return _scale(size, at_least(size))
    return None if data.startswith(JPEG_START) else 1


def orientation(data: bytes) -> int:
    """Return the orientation by EXIF or XMP, 1 to 8; 1 where it is missing or broken."""
    if not any(data.find(name, 0, _HEADER) >= 0 for name in _ORIENTATION_MARKS):
        return 1
    try:
        return image_orientation(Image.open(io.BytesIO(data), formats=("JPEG",)))
    except (OSError, ValueError, SyntaxError):
        return 1


def _scale(size: tuple[int, int], enough: tuple[int, int]) -> int:
    """Return the largest of 8, 4, 2 and 1 that leaves an image no smaller than `enough`."""
    most = min(side // max(1, wanted) for side, wanted in zip(size, enough, strict=True))
    return next((scale for scale in _SCALES if scale <= most), 1)
