"""A perceptual hash of 128 bits: the signs of low frequencies of an image's brightness.

The cosine transform of a grey image has a sign for each frequency. Re-encoding, resizing
and brightness change few of the low ones. A mirrored image has the same coefficients, those of odd
frequencies negated, so that two hashes determine the distance in all four reflections. The bits
are four views of 32 each, by whether the frequencies across and down are even or odd.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

BYTES = 16
BITS = 8 * BYTES
_VIEW = BITS // 4
_FREQUENCIES = 20
SMALLEST_SIDE = 2 * _FREQUENCIES
"""Pixels that a side must have, since those of fewer cannot hold the frequencies."""

_FLAT = 0.1
"""Amplitude of all frequencies (of 255) below which an image has too little structure to hash."""

Signs = npt.NDArray[np.float32]
"""float32 (n, 4, 32): 1 and -1 for the bits of each view, 0 where the hash is not known."""


def hash_brightness(grey: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Return uint8 (n, 16), the hashes of grey images; zeros where one is of one colour.

    `grey` is (n, height, width), 0 to 255; a hundred pixels a side are plenty.
    """
    pixels = np.asarray(grey, np.float32)
    height, width = pixels.shape[1:]
    coefficients = _cosines(height) @ pixels @ _cosines(width).T
    found = [coefficients[:, down, across] for down, across in _views()]
    amplitudes = np.concatenate(found, axis=1)
    hashes = np.packbits(amplitudes > 0, axis=1)
    hashes[np.sqrt((amplitudes**2).sum(axis=1)) < _FLAT] = 0
    return hashes


def hash_signs(hashes: npt.NDArray[np.uint8]) -> Signs:
    """Return hashes (n, 16) as signs, which `bit_distances` compares."""
    signs = np.unpackbits(np.ascontiguousarray(hashes), axis=1).astype(np.float32) * 2 - 1
    signs[~hashes.any(axis=1)] = 0
    return np.ascontiguousarray(signs.reshape(-1, 4, _VIEW))


def bit_distances(a: Signs, b: Signs) -> npt.NDArray[np.float32]:
    """Return in how many bits images differ, each pair in the reflection that is nearest.

    float32 (n_a, n_b), 0 to 128; 64, the distance of unrelated images, where a hash is not known.
    """
    even, across, down, both = (a[:, view] @ b[:, view].T for view in range(4))
    # The four reflections negate views; the largest of the four sums is this.
    agree = np.maximum(even + both + np.abs(across + down), even - both + np.abs(across - down))
    return np.asarray((BITS - agree) / 2, np.float32)


@cache
def _cosines(side: int) -> npt.NDArray[np.float32]:
    """Return float32 (frequencies, side): what each pixel weighs in an amplitude."""
    places = (np.arange(side) + 0.5) * np.pi / side
    return (np.cos(np.arange(_FREQUENCIES)[:, None] * places) / side).astype(np.float32)


@cache
def _views() -> tuple[tuple[Any, Any], ...]:
    """Return for each view the 32 lowest frequencies, down and across; none has the mean."""
    views = []
    for odd_down, odd_across in ((0, 0), (0, 1), (1, 0), (1, 1)):
        found = [
            (down + across, down, across)
            for down in range(odd_down, _FREQUENCIES, 2)
            for across in range(odd_across, _FREQUENCIES, 2)
            if down or across
        ]
        lowest = np.array(sorted(found)[:_VIEW])
        views.append((lowest[:, 1], lowest[:, 2]))
    return tuple(views)


_SIDE = 112
"""Least number of pixels of a side that are used, where there are so many."""


def pixel_hashes(batch: Any) -> npt.NDArray[np.uint8]:
    """Return uint8 (n, 16) of uint8 (n, side, side, 3), an array or a tensor on any device.

    Zeros, for not known, where the side is too small.

    Green is most of brightness, and every second pixel is enough for low frequencies: converting
    all of them would be slower than the hash itself.
    """
    if min(batch.shape[1:3]) < SMALLEST_SIDE:
        return np.zeros((len(batch), BYTES), np.uint8)
    step = max(1, batch.shape[1] // _SIDE)
    green = batch[:, ::step, ::step, 1]
    if not isinstance(green, np.ndarray):
        green = green.contiguous().cpu().numpy()
    return hash_brightness(green)
