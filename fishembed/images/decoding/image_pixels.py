"""From an image file's bytes to an encoder's pixels: exactly as other libraries do it, or fast.

=======  =============================================================================
exact    the whole image is decoded and resized by Pillow: OpenCLIP's and timm's own
         preprocessing to the bit
fast     a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, to at least twice the size
         of the encoder's input, inside the inverse cosine transform; torch's vectorised
         filter resizes the rest. Other formats are decoded whole
device   like fast, here; what the encoder's device decodes is in `DeviceDecoder`
=======  =============================================================================

How near the features are is measured by benchmarks/parity.py; docs/speed.md has the figures.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
from PIL import Image

from fishembed._base.arrays import Pixels
from fishembed.images.decoding.decode import MAX_PIXELS, AtLeast, decode_pixels
from fishembed.images.decoding.jpeg import decode_jpeg, jpeg_scale

Decoding = Literal["exact", "fast", "device"]
Fit = Literal["shortest", "longest", "squash"]
Resizer = Callable[[Pixels, tuple[int, int], str], Pixels]
"""From uint8 (h, w, 3), a (width, height) and a filter's name to uint8 (height, width, 3)."""

TORCH_FILTERS = ("bilinear", "bicubic")
"""Filters that torch has with antialiasing."""

_OVERSIZE = 2
"""Decoded to the target's own size, the cosine to exact features was 0.995 on average and 0.975
at worst; at twice the size 0.998 and 0.985."""

_MOST_RESIZED = 64_000_000


def image_pixels(
    data: bytes,
    geometry: dict[str, Any],
    *,
    decoding: str = "exact",
    max_pixels: int = MAX_PIXELS,
) -> Pixels:
    """Decode an image file and cut out the input of an encoder.

    Parameters
    ----------
    data
        The whole file.
    geometry
        The keywords of `crop_pixels`; or, for several encoders, `several` of them and `crop`, the
        side of the square that their crops are packed into, see `packed_side`. The file is decoded
        once for all that want it at one size.
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
    resizer = torch_resize if fast else pillow_resize
    decoded: dict[Hashable, Pixels] = {}
    crops = []
    for own in geometry.get("several", [geometry]):
        enough = _at_least(own) if fast else None
        scale = jpeg_scale(data, enough) if enough and "several" in geometry else 1
        key = scale or (own["resize"], own.get("fit"))
        if key not in decoded:
            pixels = decode_jpeg(data, max_pixels=max_pixels, at_least=enough)
            if pixels is None:
                pixels = decode_pixels(data, max_pixels=max_pixels, at_least=enough)
            decoded[key] = pixels
        crops.append(crop_pixels(decoded[key], **own, resizer=resizer))
    return _packed(crops, geometry["crop"]) if "several" in geometry else crops[0]


def _at_least(geometry: dict[str, Any]) -> AtLeast:
    """Return a function for the size that a JPEG must be decoded to for an encoder."""

    def at_least(size: tuple[int, int]) -> tuple[int, int]:
        width, height = resized_as(size, geometry)
        return _OVERSIZE * width, _OVERSIZE * height

    return at_least


def pillow_resize(pixels: Pixels, size: tuple[int, int], interpolation: str) -> Pixels:
    """Resize to a (width, height) as OpenCLIP and timm do."""
    if pixels.shape[1::-1] == size:
        return pixels
    resampling = Image.Resampling[interpolation.upper()]
    return np.asarray(Image.fromarray(pixels).resize(size, resampling))


def crop_pixels(
    image: Image.Image | Pixels,
    *,
    resize: int,
    crop: int,
    fit: Fit = "shortest",
    interpolation: str = "bicubic",
    fill: int = 0,
    resizer: Resizer = pillow_resize,
) -> Pixels:
    """Resize an image and cut the middle out, as OpenCLIP and timm do, to the bit.

    Parameters
    ----------
    image
        uint8 (height, width, 3), or an image of Pillow in mode RGB.
    resize
        Length in pixels that the shortest (or longest) side is resized to; the side of the square
        with `fit="squash"`.
    crop
        Side of the square that is cut from the middle; what the image lacks is filled.
    fit
        Which side `resize` is the length of.
    interpolation
        nearest, bilinear, bicubic or lanczos, always with antialiasing.
    fill
        Grey value of the border with `fit="longest"`.
    resizer
        Function that resizes; only `pillow_resize` has the others' pixels to the bit.

    Returns
    -------
    uint8 (crop, crop, 3)
    """
    pixels = np.asarray(image)
    width, height = resized(pixels.shape[1::-1], resize, fit)
    if width * height > _MOST_RESIZED:
        # A thread of an image (1 × 10,000) would fill the memory before its middle is cut.
        pixels = _middle(pixels, crop / min(width, height))
        width, height = resized(pixels.shape[1::-1], resize, fit)
    pixels = resizer(pixels, (width, height), interpolation)
    left, top = centre(width, crop), centre(height, crop)
    if min(width, height) >= crop:
        return pixels[top : top + crop, left : left + crop]
    canvas = np.full((crop, crop, 3), fill, np.uint8)
    x, y = max(left, 0), max(top, 0)
    inside = pixels[y : y + crop, x : x + crop]
    down, right = max(-top, 0), max(-left, 0)
    canvas[down : down + inside.shape[0], right : right + inside.shape[1]] = inside
    return canvas


def resized(size: tuple[int, int], resize: int, fit: Fit = "shortest") -> tuple[int, int]:
    """Return the (width, height) that an image is resized to before the crop."""
    width, height = size
    if fit == "squash":
        return resize, resize
    if fit == "shortest":
        if width <= height:
            return resize, int(resize * height / width)
        return int(resize * width / height), resize
    scale = resize / max(width, height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def resized_as(size: tuple[int, int], geometry: Mapping[str, Any]) -> tuple[int, int]:
    """Return the same by the keywords of `crop_pixels`."""
    return resized(size, geometry["resize"], geometry.get("fit", "shortest"))


def centre(length: int, crop: int) -> int:
    """Return the first pixel of a centred crop; negative where the side is shorter than it."""
    slack = length - crop
    return round(slack / 2.0) if slack >= 0 else -((crop - length) // 2)


def _middle(pixels: Pixels, share: float) -> Pixels:
    """Cut the longer side down to what the crop can see, and half as much again."""
    height, width = pixels.shape[:2]
    length = max(1, round(min(width, height) * share * 1.5))
    if width > height:
        left = max(0, (width - length) // 2)
        return pixels[:, left : left + length]
    top = max(0, (height - length) // 2)
    return pixels[top : top + length]


def torch_resize(pixels: Pixels, size: tuple[int, int], interpolation: str) -> Pixels:
    """Resize with torch's antialiased uint8 filters: Pillow's coefficients, several times as fast.

    They differ from Pillow by a rounding here and there. Filters that torch lacks are Pillow's.
    """
    if interpolation not in TORCH_FILTERS or pixels.shape[1::-1] == size:
        return pillow_resize(pixels, size, interpolation)
    import torch
    from torch.nn.functional import interpolate

    # Torch warns of memory that it may not write to, such as Pillow's.
    image = torch.from_numpy(np.require(pixels, requirements=["C", "W"]))
    # In this order torch sees an image whose channels are last, and returns one.
    channels_last = image.unsqueeze(0).permute(0, 3, 1, 2)
    small = interpolate(channels_last, size=(size[1], size[0]), mode=interpolation, antialias=True)
    return np.asarray(small[0].permute(1, 2, 0).numpy())


def packed_side(crops: Sequence[int]) -> int:
    """Return the side of the square that holds as many pixels as squares of these sides."""
    return math.isqrt(sum(crop * crop for crop in crops) - 1) + 1


def _packed(crops: Sequence[Pixels], side: int) -> Pixels:
    """Lay uint8 (crop, crop, 3) images one after the other into one of (side, side, 3)."""
    flat = np.concatenate([crop.reshape(-1) for crop in crops])
    return np.pad(flat, (0, side * side * 3 - flat.size)).reshape(side, side, 3)


def unpack(batch: Pixels, crops: Sequence[int]) -> list[Pixels]:
    """Return uint8 (n, crop, crop, 3) of each crop from (n, side, side, 3) packed images."""
    flat = batch.reshape(len(batch), -1)
    stops = np.cumsum([crop * crop * 3 for crop in crops])
    parts = zip(np.split(flat, stops, axis=1), crops, strict=False)
    return [np.ascontiguousarray(part).reshape(-1, crop, crop, 3) for part, crop in parts]
