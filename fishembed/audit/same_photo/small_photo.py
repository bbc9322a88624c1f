"""A photo as it is compared: small, square, and its green alone."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from PIL import Image

from fishembed.images.decoding.decode import decode_pixels

SIDE = 128

Green = npt.NDArray[np.uint8]
"""uint8 (128, 128): green is most of brightness, and where a brighter copy is cut off at white it
is so for each colour by itself."""


def small_green(data: bytes) -> Green:
    """Return the `Green` of an image file.

    Raises
    ------
    ImageError
        When it cannot be decoded.
    """
    pixels = decode_pixels(data, at_least=lambda _: (2 * SIDE, 2 * SIDE))
    image = Image.fromarray(np.ascontiguousarray(pixels[..., 1]))
    return np.asarray(image.resize((SIDE, SIDE), Image.Resampling.BILINEAR))
