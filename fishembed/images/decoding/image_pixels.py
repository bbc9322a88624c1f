"""From an image file's bytes to an encoder's pixels: exactly as other libraries do it, or fast.

=======  =============================================================================
exact    the whole image is decoded and resized by Pillow: OpenCLIP's and timm's own
         preprocessing to the bit
fast     a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, to at least twice the size
         the encoder takes, inside the inverse cosine transform; torch's vectorised
         filter resizes the rest. Other formats are decoded whole
device   like fast, here; what the encoder's device decodes is in `DeviceDecoder`
=======  =============================================================================

How near the features are is measured by benchmarks/parity.py; docs/speed.md has the figures.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed.images.decoding.decode import MAX_PIXELS, decode_pixels
from fishembed.images.decoding.jpeg import decode_jpeg, jpeg_scale
from fishembed.images.decoding.resize_crop import crop_pixels, pillow_resize, resized_as
from fishembed.images.decoding.several_crops import packed_pixels

Decoding = Literal["exact", "fast", "device"]

TORCH_FILTERS = ("bilinear", "bicubic")
"""Filters that torch has with antialiasing."""

_OVERSIZE = 2
"""Decoded to the target's own size, the cosine to exact features was 0.995 on average and 0.975
at worst; at twice the size 0.998 and 0.985."""


def image_pixels(
    data: bytes,
    geometry: dict[str, Any],
    *,
    decoding: str = "exact",
    max_pixels: int = MAX_PIXELS,
) -> npt.NDArray[np.uint8]:
    """Decode an image file and cut out what an encoder takes.

    Parameters
    ----------
    data
        The whole file.
    geometry
        See `crop_pixels`; or `several` of them and the `crop` of the packed image, see
        `fishembed.images.decoding.several_crops`.
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
    fast = decoding != "exact"

    def decoded(own: dict[str, Any]) -> npt.NDArray[np.uint8]:
        enough = _at_least(own) if fast else None
        pixels = decode_jpeg(data, max_pixels=max_pixels, at_least=enough)
        return (
            decode_pixels(data, max_pixels=max_pixels, at_least=enough)
            if (pixels is None)
            else pixels
        )

    def cut(pixels: npt.NDArray[np.uint8], own: dict[str, Any]) -> npt.NDArray[np.uint8]:
        return crop_pixels(pixels, **own, resizer=torch_resize if fast else pillow_resize)

    if "several" not in geometry:
        return cut(decoded(geometry), geometry)
    return packed_pixels(
        geometry, lambda own: jpeg_scale(data, _at_least(own)) if fast else 1, decoded, cut
    )


def _at_least(geometry: dict[str, Any]) -> Callable[[tuple[int, int]], tuple[int, int]]:
    """Return what says how large a JPEG must be decoded for an encoder."""

    def at_least(size: tuple[int, int]) -> tuple[int, int]:
        width, height = resized_as(size, geometry)
        return _OVERSIZE * width, _OVERSIZE * height

    return at_least


def torch_resize(
    pixels: npt.NDArray[np.uint8], size: tuple[int, int], interpolation: str
) -> npt.NDArray[np.uint8]:
    """Resize with torch's antialiased uint8 filters: Pillow's coefficients, several times as fast.

    They differ from Pillow by a rounding here and there. Filters that torch lacks are Pillow's.
    """
    if interpolation not in TORCH_FILTERS or pixels.shape[1::-1] == size:
        return pillow_resize(pixels, size, interpolation)
    import torch
    from torch.nn.functional import interpolate

    # Torch warns of memory that it may not write to, such as Pillow's.
    image = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    # In this order torch sees an image whose channels are last, and gives one back.
    channels_last = image.unsqueeze(0).permute(0, 3, 1, 2)
    small = interpolate(channels_last, size=(size[1], size[0]), mode=interpolation, antialias=True)
    return np.asarray(small[0].permute(1, 2, 0).numpy())
