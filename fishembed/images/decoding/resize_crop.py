"""From an image of any size to the pixels an encoder takes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from PIL import Image

Fit = Literal["shortest", "longest", "squash"]

_FILTERS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
_MOST_RESIZED = 64_000_000

Resizer = Callable[[npt.NDArray[np.uint8], tuple[int, int], str], npt.NDArray[np.uint8]]
"""From uint8 (h, w, 3), a (width, height) and a filter's name to uint8 (height, width, 3)."""


def pillow_resize(
    pixels: npt.NDArray[np.uint8], size: tuple[int, int], interpolation: str
) -> npt.NDArray[np.uint8]:
    """Resize as OpenCLIP and timm do."""
    if pixels.shape[1::-1] == size:
        return pixels
    return np.asarray(Image.fromarray(pixels).resize(size, _FILTERS[interpolation]))


def crop_pixels(
    image: Image.Image | npt.NDArray[np.uint8],
    *,
    resize: int,
    crop: int,
    fit: Fit = "shortest",
    interpolation: str = "bicubic",
    fill: int = 0,
    resizer: Resizer = pillow_resize,
) -> npt.NDArray[np.uint8]:
    """Resize a image and cut the middle out, as OpenCLIP and timm do, to the bit.

    Parameters
    ----------
    image
        uint8 (height, width, 3), or an image of Pillow in mode RGB.
    resize
        Length in pixels that the shortest (or longest) side gets; the side of the square
        with `fit="squash"`.
    crop
        Side of the square that is cut from the middle; what the image lacks is filled.
    fit
        Which side `resize` speaks of.
    interpolation
        nearest, bilinear, bicubic or lanczos, always with antialiasing.
    fill
        Grey value of the border with `fit="longest"`.
    resizer
        What resizes; only `pillow_resize` gives the others' pixels to the bit.

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
    seen = pixels[y : y + crop, x : x + crop]
    down, right = max(-top, 0), max(-left, 0)
    canvas[down : down + seen.shape[0], right : right + seen.shape[1]] = seen
    return canvas


def resized(size: tuple[int, int], resize: int, fit: Fit = "shortest") -> tuple[int, int]:
    """Return the (width, height) that a image of a size gets before the crop."""
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
    """Return the first pixel of a side that is kept; negative where it is shorter than the crop."""
    slack = length - crop
    return round(slack / 2.0) if slack >= 0 else -((crop - length) // 2)


def _middle(pixels: npt.NDArray[np.uint8], share: float) -> npt.NDArray[np.uint8]:
    """Cut the longer side down to what the crop can see, and half as much again."""
    height, width = pixels.shape[:2]
    keep = max(1, round(min(width, height) * share * 1.5))
    if width > height:
        left = max(0, (width - keep) // 2)
        return pixels[:, left : left + keep]
    top = max(0, (height - keep) // 2)
    return pixels[top : top + keep]
