"""The crops of several encoders from one decoded image, packed as one."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


def packed_side(crops: Sequence[int]) -> int:
    """Return the side of the square that holds as many pixels as squares of these sides."""
    return math.isqrt(sum(crop * crop for crop in crops) - 1) + 1


def pack(parts: Sequence[Pixels], side: int) -> Pixels:
    """Lay uint8 (crop, crop, 3) images one after the other into one of (side, side, 3)."""
    packed = np.zeros(side * side * 3, np.uint8)
    at = 0
    for part in parts:
        packed[at : at + part.size] = part.reshape(-1)
        at += part.size
    return packed.reshape(side, side, 3)


def unpack(batch: Pixels, crops: Sequence[int]) -> list[Pixels]:
    """Return uint8 (n, crop, crop, 3) of each crop from (n, side, side, 3) packed images."""
    flat, parts, at = batch.reshape(len(batch), -1), [], 0
    for crop in crops:
        size = crop * crop * 3
        parts.append(np.ascontiguousarray(flat[:, at : at + size]).reshape(-1, crop, crop, 3))
        at += size
    return parts


def packed_pixels(
    geometry: dict[str, Any],
    decoded_as: Callable[[dict[str, Any]], Hashable],
    decode: Callable[[dict[str, Any]], Pixels],
    cut: Callable[[Pixels, dict[str, Any]], Pixels],
) -> Pixels:
    """Cut an image for every encoder, and decode it once for all that want it at one size.

    Parameters
    ----------
    geometry
        `several`, what each encoder takes, and `crop`, the side of the packed image.
    decoded_as
        What is the same for two encoders exactly if their image is decoded alike.
    decode, cut
        Decode the image for an encoder, and cut out of that what the encoder takes.
    """
    decoded: dict[Hashable, Pixels] = {}
    parts = []
    for own in geometry["several"]:
        key = decoded_as(own)
        if key not in decoded:
            decoded[key] = decode(own)
        parts.append(cut(decoded[key], own))
    return pack(parts, geometry["crop"])
