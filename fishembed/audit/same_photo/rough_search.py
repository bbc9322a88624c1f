"""Where one photo lies in another, roughly: shifted, scaled, turned or mirrored.

The middle of a photo of 32 × 32 pixels is looked for around the middle of the other by normalised
cross-correlation, in each of some scales, turns and reflections. It takes a quarter of a
millisecond a pair.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage, sparse

from fishembed.audit.same_photo.small_photo import SIDE, Green

_SIDE, _PATCH, _REACH = 32, 18, 4
_FINE, _LIGHT = 1.0, 4.0
"""Pixels: what is smaller changes when shifted by less than one; what is larger is light."""

_SCALES = (
    *((s, s) for s in (1.0, 0.95, 1.0 / 0.95, 0.9, 1 / 0.9)),
    *((1.0, 0.9), (0.9, 1.0), (1.0, 1 / 0.9), (1 / 0.9, 1.0)),
)
_TURNS = (
    *((turn, 1.0) for turn in (-5.0, -2.5, 2.5, 5.0)),
    *((turn, shape) for turn in (-5.0, 5.0) for shape in (1.4, 1 / 1.4)),
)
"""Degrees, and the width by the height of the photos that were made square."""

_MIRRORS = ((1, 1), (1, -1), (-1, 1))

Floats = npt.NDArray[np.float32]
Affine = npt.NDArray[np.float64]
"""float64 (2, 3): y and x in the other photo from y, x and 1 in this one, in pixels of a
`small_green` from its middle."""


def rough_patches(green: npt.NDArray[Any]) -> Floats:
    """Return the changed middles of a photo that are looked for, float32 (changes, pixels)."""
    patches = _sampling() @ _shape(green).reshape(-1)
    return _of_length_1(patches.reshape(-1, _PATCH**2))


def rough_windows(green: Green) -> Floats:
    """Return the parts around a photo's middle that are looked at, float32 (places, pixels)."""
    start, wide = (_SIDE - _PATCH) // 2 - _REACH, _PATCH + 2 * _REACH
    there = _shape(green)[start : start + wide, start : start + wide]
    windows = np.lib.stride_tricks.sliding_window_view(there, (_PATCH, _PATCH))
    return _of_length_1(windows.reshape(-1, _PATCH**2))


def find_roughly(patches: Floats, windows: Floats) -> tuple[float, Affine]:
    """Return how well the middle of one photo is found in another, and where.

    Returns
    -------
    tuple
        The correlation, and the `Affine` from the first to the second.
    """
    found = windows @ patches.T
    place, change = divmod(int(found.argmax()), found.shape[1])
    down, across = divmod(place, 2 * _REACH + 1)
    shift = np.array([down - _REACH, across - _REACH]) * (SIDE / _SIDE)
    return float(found[place, change]), np.column_stack([np.linalg.inv(_changes()[change]), shift])


def _shape(green: npt.NDArray[Any]) -> Floats:
    step = SIDE // _SIDE
    small = green.reshape(_SIDE, step, _SIDE, step).mean(axis=(1, 3), dtype=np.float32)
    smooth = ndimage.gaussian_filter(small, _FINE)
    return np.asarray(smooth - ndimage.gaussian_filter(small, _LIGHT), np.float32)


def _of_length_1(rows: npt.NDArray[Any]) -> Floats:
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, _PATCH / 4), np.float32)


@cache
def _changes() -> list[npt.NDArray[np.float64]]:
    """Return for each change the matrix (2, 2) from places of a patch to places of the photo."""
    changes = [(*sizes, 0.0, 1.0) for sizes in _SCALES]
    changes += [(1.0, 1.0, turn, shape) for turn, shape in _TURNS]
    found = []
    for mirror in _MIRRORS:
        for high, wide, turn, shape in changes:
            angle = np.deg2rad(turn)
            turned = np.array(
                [
                    [np.cos(angle), -np.sin(angle) * shape],
                    [np.sin(angle) / shape, np.cos(angle)],
                ]
            )
            found.append(np.array([[high * mirror[0]], [wide * mirror[1]]]) * turned)
    return found


@cache
def _sampling() -> sparse.csr_matrix:
    """Return what makes all changed patches of a photo's pixels, by bilinear interpolation."""
    steps = np.arange(_PATCH) - (_PATCH - 1) / 2
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1)
    y, x = np.concatenate([change @ grid for change in _changes()], axis=1) + (_SIDE - 1) / 2
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    dy, dx = y - top, x - left
    places = [(top + j) * _SIDE + left + i for j in (0, 1) for i in (0, 1)]
    weights = [(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx]
    rows = np.tile(np.arange(len(y)), 4)
    cells = np.concatenate(weights).astype(np.float32), (rows, np.concatenate(places))
    return sparse.csr_matrix(cells, shape=(len(y), _SIDE**2))
