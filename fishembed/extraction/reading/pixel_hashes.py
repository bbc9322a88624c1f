"""Perceptual hashes of the pixels that an encoder takes, before it takes them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.perceptual_hash import BYTES, SMALLEST_SIDE, hash_brightness

_SIDE = 112
"""Pixels of a side that are looked at, at the least, where there are so many."""


def pixel_hashes(batch: Any) -> npt.NDArray[np.uint8]:
    """Return uint8 (n, 16) of uint8 (n, side, side, 3), an array or a tensor on any device.

    Zeros, for not known, where the side is too small to tell.

    Green is most of brightness, and every second pixel is enough for low frequencies: converting
    all of them would take longer than the hash.
    """
    if min(batch.shape[1:3]) < SMALLEST_SIDE:
        return np.zeros((len(batch), BYTES), np.uint8)
    step = max(1, batch.shape[1] // _SIDE)
    green = batch[:, ::step, ::step, 1]
    if not isinstance(green, np.ndarray):
        green = green.contiguous().cpu().numpy()
    return hash_brightness(green)
