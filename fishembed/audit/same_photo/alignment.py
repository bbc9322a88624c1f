"""Lay two photos over each other to a fraction of a pixel, and compare what is fine in them.

A copy that was re-encoded, made brighter, cropped or turned differs from its original by the noise
of the encoding, everywhere. The next photo of a burst shows the same background, and an animal in
almost the same pose; but what is fine differs, since each photo has its own grain and something has
moved.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from fishembed.audit.same_photo.rough_search import Affine
from fishembed.audit.same_photo.small_photo import SIDE, Green

_INNER = 0.8
"""Of the photo's side that is compared: corners of a turned copy are filled with something else."""

_STEP, _MOST_STEPS = 2, 12
_STANDSTILL, _PATIENCE = 2e-4, 4
_FINE, _LIGHT, _DETAIL = 1.4, 49, 19
"""Pixels: what is smaller is noise; the means over the others are taken off, for what is aligned,
and for the detail that is compared."""

_DARK, _BRIGHT = 3, 250
"""Green beyond which a pixel may have been cut off, and does not tell the light."""

_BRIGHTER, _LEAST_WHOLE = 1.08, 0.04
"""Gain from which what is cut off at white is left out, where as much is left."""

_NEAR, _NEAR_SHARE = 3.0, 0.05
_LEAST_SHARED = 0.5
_FAR = 0.93
"""Correlation of shapes below which alignment is given up after a few steps: no copy's is."""

Floats = npt.NDArray[np.float32]
Points = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


class AlignedPhoto(NamedTuple):
    """What aligning needs of a photo, made once for all its pairs; each float32 (128, 128)."""

    green: Floats
    shape: Floats
    slope_down: Floats
    slope_across: Floats


def aligned_photo(green: Green) -> AlignedPhoto:
    """Prepare a photo for `detail_agreement`."""
    wide = np.asarray(green, np.float32)
    shape = _band(wide, _FINE, _LIGHT)
    down, across = np.gradient(shape)
    return AlignedPhoto(wide, shape, np.asarray(down), np.asarray(across))


class Agreement(NamedTuple):
    """How well the fine detail of two aligned photos agrees."""

    correlation: float  # Up to 1
    difference: float  # Root of the mean square, of 255


def detail_agreement(first: AlignedPhoto, second: AlignedPhoto, start: Affine) -> Agreement | None:
    """Return how well the fine detail of two photos agrees; None where they cannot be aligned.

    Parameters
    ----------
    first, second
        The photos.
    start
        Roughly where the first lies in the second, see `find_roughly`.
    """
    # A part of a photo, which is the larger of the two here, is looked for in the whole one.
    if abs(np.linalg.det(start[:, :2])) > 1:
        first, second, start = second, first, _inverse(start)
    place = _aligned(first.shape, second, start)
    if place is None:
        first, second = second, first
        place = _aligned(first.shape, second, _inverse(start))
    if place is None:
        return None
    y, x = _grid(1)
    there = _moved(place, y, x)
    used = _is_inside(there)
    a = _sampled(first.green, _grid_in_photo(y, x))
    b = _sampled(second.green, there)
    a, b, gain = _in_one_light(a, b, used)
    b = np.where(used, b, a)  # what lies beyond an edge shall not count near it either
    side = round(np.sqrt(len(a)))
    if gain >= _BRIGHTER:
        whole = _whole(a, b, side)
        used = used & whole if (used & whole).mean() >= _LEAST_WHOLE else used
    a, b = (_band(one.reshape(side, side), _FINE, _DETAIL).reshape(-1)[used] for one in (a, b))
    lengths = np.sqrt((a * a).sum() * (b * b).sum())
    difference = float(np.sqrt(((a - b) ** 2).mean()))
    return Agreement(float((a * b).sum() / max(float(lengths), 1.0)), difference)


def _band(pixels: Floats, fine: float, coarse: int) -> Floats:
    """Return what is larger than `fine` pixels and smaller than `coarse`, whose mean is cheap."""
    fine_part = ndimage.gaussian_filter(pixels, fine, truncate=3.0)
    return np.asarray(fine_part - ndimage.uniform_filter(pixels, coarse), np.float32)


def _aligned(a: Floats, other: AlignedPhoto, start: Affine) -> Affine | None:
    """Return the affine from one photo to another that fits best, by Gauss and Newton's steps."""
    y, x = _grid(_STEP)
    wanted = _sampled(a, _grid_in_photo(y, x))
    place, best, kept = start.copy(), -1.0, start
    for step in range(_MOST_STEPS):
        there = _moved(place, y, x)
        inside = _is_inside(there)
        if inside.mean() < _LEAST_SHARED:
            break
        there = there[0][inside], there[1][inside]
        found, target = _sampled(other.shape, there), wanted[inside]
        fit = _correlation(found, target)
        gained = fit - best
        if gained > 0:
            best, kept = fit, place
        if step >= _PATIENCE and (gained < _STANDSTILL or best < _FAR):
            break
        down, across = (_sampled(slope, there) for slope in other[2:])
        yi, xi = y[inside], x[inside]
        columns = (down * yi, down * xi, down, across * yi, across * xi, across)
        system = np.stack([*columns, -target, -np.ones_like(target)], axis=1)
        normal = system.T @ system
        normal[np.diag_indices(len(normal))] *= 1 + 1e-6
        normal[np.diag_indices(len(normal))] += 1e-9
        change = np.linalg.solve(normal, -system.T @ found)[:6]
        place = place + change.reshape(2, 3)
    return kept if best >= _FAR else None


def _inverse(place: Affine) -> Affine:
    back = np.linalg.inv(place[:, :2])
    return np.column_stack([back, -back @ place[:, 2]])


def _grid(step: int) -> Points:
    """Return the points of a photo that are compared, from its middle."""
    steps = np.arange(0, round(SIDE * _INNER), step, dtype=np.float64)
    steps -= steps.mean()
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return y.reshape(-1), x.reshape(-1)


def _grid_in_photo(y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> Points:
    return y + (SIDE - 1) / 2, x + (SIDE - 1) / 2


def _moved(place: Affine, y: npt.NDArray[np.float64], x: npt.NDArray[np.float64]) -> Points:
    down, across = (row[0] * y + row[1] * x + row[2] for row in place)
    return _grid_in_photo(down, across)


def _is_inside(points: Points) -> npt.NDArray[np.bool_]:
    y, x = points
    return np.asarray((y >= 1) & (y <= SIDE - 2) & (x >= 1) & (x <= SIDE - 2))


def _sampled(pixels: npt.NDArray[np.floating], points: Points) -> Floats:
    return np.asarray(ndimage.map_coordinates(pixels, points, order=1, mode="nearest"), np.float32)


def _correlation(a: Floats, b: Floats) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6))


def _in_one_light(
    a: Floats, b: Floats, inside: npt.NDArray[np.bool_]
) -> tuple[Floats, Floats, float]:
    """Bring the darker of two photos to the light of the other, cut off where that one is.

    Returns both and the gain, 1 or more.
    """
    told = inside & (a > _DARK) & (a < _BRIGHT) & (b > _DARK) & (b < _BRIGHT)
    told = told if told.sum() > len(told) // 50 else inside
    gain = float(b[told].std() / max(float(a[told].std()), 1e-3))
    if gain < 1:
        b, a, gain = _in_one_light(b, a, inside)
        return a, b, gain
    offset = float(b[told].mean()) - gain * float(a[told].mean())
    return np.clip(gain * a + offset, 0, 255), b, gain


def _whole(a: Floats, b: Floats, side: int) -> npt.NDArray[np.bool_]:
    """Return the pixels that are not cut off at black or white, nor near one that is."""
    cut = (np.minimum(a, b) <= _DARK) | (np.maximum(a, b) >= _BRIGHT)
    near = ndimage.gaussian_filter(cut.reshape(side, side).astype(np.float32), _NEAR)
    return np.asarray(near.reshape(-1) <= _NEAR_SHARE)
