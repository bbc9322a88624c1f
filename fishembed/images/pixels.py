"""From a picture file's bytes to an encoder's pixels: exactly as others do it, or fast.

=======  =============================================================================
exact    Pillow decodes the whole picture and resizes it: OpenCLIP's and timm's own
         preprocessing to the bit
fast     a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, to at least twice the size
         the encoder looks at, inside the inverse cosine transform; torch's vectorised
         filter resizes the rest. Other formats are decoded whole
device   like fast, here; what the encoder's device decodes, `DeviceDecoder` tells
=======  =============================================================================

How near the vectors are is measured by benchmarks/parity.py; docs/speed.md has the figures.
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

from fishembed.images.decode import MAX_PIXELS, decode
from fishembed.images.geometry import crop_pixels, pillow_resize, resized_as

Decoding = Literal["exact", "fast", "device"]

TORCH_FILTERS = ("bilinear", "bicubic")
"""Filters that torch has with antialiasing."""

_OVERSIZE = 2
"""Decoded to the target's own size, vectors came out at 0.995 of the exact ones' direction on
average and 0.975 at worst; to twice the size at 0.998 and 0.985."""


def picture_pixels(
    data: bytes,
    geometry: dict[str, Any],
    *,
    decoding: str = "exact",
    max_pixels: int = MAX_PIXELS,
) -> npt.NDArray[np.uint8]:
    """Decode a picture file and cut out what an encoder looks at.

    Parameters
    ----------
    data
        The whole file.
    geometry
        See `crop_pixels`.
    decoding
        exact, fast or device.
    max_pixels
        Width × height above which nothing is decoded.

    Returns
    -------
    uint8 (crop, crop, 3)

    Raises
    ------
    ImageError
        With a reason of one line, whatever is wrong with the file.
    """
    if decoding == "exact":
        return crop_pixels(decode(data, max_pixels=max_pixels), **geometry)

    def at_least(size: tuple[int, int]) -> tuple[int, int]:
        width, height = resized_as(size, geometry)
        return _OVERSIZE * width, _OVERSIZE * height

    image = decode(data, max_pixels=max_pixels, at_least=at_least)
    return crop_pixels(image, **geometry, resizer=torch_resize)


def torch_resize(
    image: Image.Image, size: tuple[int, int], interpolation: str
) -> npt.NDArray[np.uint8]:
    """Resize with torch's antialiased uint8 filters: Pillow's coefficients, several times as fast.

    They differ from Pillow by a rounding here and there. Filters that torch lacks are Pillow's.
    """
    if interpolation not in TORCH_FILTERS or image.size == size:
        return pillow_resize(image, size, interpolation)
    import torch
    from torch.nn.functional import interpolate

    # A copy, since torch warns of memory that it may not write to.
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1).unsqueeze(0)
    small = interpolate(pixels, size=(size[1], size[0]), mode=interpolation, antialias=True)
    return np.asarray(small[0].permute(1, 2, 0).numpy())
