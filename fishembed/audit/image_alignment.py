"""Align two images, roughly and then to a fraction of a pixel, and compare their fine detail.

A copy that was re-encoded, made brighter, cropped or turned differs from its original by the noise
of the encoding, everywhere. The next photo of a burst shows the same background, and an animal in
almost the same pose; but the fine detail differs, since each photo has its own grain and something
has moved.

Rough alignment: the middle of an image of 32 × 32 pixels is searched around the middle of the other
by normalised cross-correlation, in each of some scales, turns and reflections. It needs a quarter
of a millisecond a pair.
"""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from PIL import Image
from scipy import ndimage, sparse

from fishembed._base.arrays import Double, Flags, Single
from fishembed.images.decoding.decode import decode_pixels

SIDE = 128

_ROUGH_SIDE, _PATCH, _REACH = 32, 18, 4
_ROUGH_FINE, _ROUGH_LIGHT = 1.0, 4.0
"""Pixels: what is smaller changes when shifted by less than one; what is larger is light."""

_SCALES = (
    *((s, s) for s in (1.0, 0.95, 1.0 / 0.95, 0.9, 1 / 0.9)),
    *((1.0, 0.9), (0.9, 1.0), (1.0, 1 / 0.9), (1 / 0.9, 1.0)),
)
_TURNS = (
    *((turn, 1.0) for turn in (-5.0, -2.5, 2.5, 5.0)),
    *((turn, shape) for turn in (-5.0, 5.0) for shape in (1.4, 1 / 1.4)),
)
"""Degrees, and width by height of the originals of images that were made square."""

_MIRRORS = ((1, 1), (1, -1), (-1, 1))

_INNER = 0.8
"""Share of the image's side that is compared: a turned copy has foreign pixels in its corners."""

_STEP, _MOST_STEPS = 2, 12
_STANDSTILL, _PATIENCE = 2e-4, 4
_FINE, _LIGHT, _DETAIL = 1.4, 49, 19
"""Pixels: what is smaller is noise; the means over the others are subtracted, for what is aligned,
and for the detail that is compared."""

_DARK, _BRIGHT = 3, 250
"""Green beyond which a pixel may be clipped, and is no measure of the light."""

_BRIGHTER, _LEAST_WHOLE = 1.08, 0.04
"""Gain from which pixels clipped at white are left out, and the least share that must remain."""

_NEAR, _NEAR_SHARE = 3.0, 0.05
_LEAST_SHARED = 0.5
_FAR = 0.93
"""Correlation of shapes below which alignment stops after a few steps: no copy's is."""

Green = npt.NDArray[np.uint8]
"""uint8 (128, 128): green is most of brightness, and where a brighter copy is cut off at white it
is so for each colour by itself."""

Affine = npt.NDArray[np.float64]
"""float64 (2, 3): y and x in the other image from y, x and 1 in this one, in pixels of a
`small_green` from its middle."""

Points = tuple[Double, Double]


class AlignableImage(NamedTuple):
    """Arrays for aligning an image, computed once for all its pairs; each float32 (128, 128)."""

    green: Single
    shape: Single
    slope_down: Single
    slope_across: Single


class Agreement(NamedTuple):
    """Measures of how well the fine detail of two aligned images agrees."""

    correlation: float  # Up to 1
    difference: float  # Root of the mean square, of 255


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


def rough_patches(green: Green) -> Single:
    """Return an image's middle, changed in all ways, to search for: float32 (changes, pixels)."""
    patches = _patch_sampling() @ _rough_shape(green).reshape(-1)
    return _of_length_1(patches.reshape(-1, _PATCH**2))


def rough_windows(green: Green) -> Single:
    """Return the parts around an image's middle to search in, float32 (places, pixels)."""
    start, wide = (_ROUGH_SIDE - _PATCH) // 2 - _REACH, _PATCH + 2 * _REACH
    there = _rough_shape(green)[start : start + wide, start : start + wide]
    windows = np.lib.stride_tricks.sliding_window_view(there, (_PATCH, _PATCH))
    return _of_length_1(windows.reshape(-1, _PATCH**2))


def find_roughly(patches: Single, windows: Single) -> tuple[float, Affine]:
    """Return how well the middle of one image is found in another, and where.

    Returns
    -------
    tuple
        The correlation, and the `Affine` from the first to the second.
    """
    found = windows @ patches.T
    place, change = divmod(int(found.argmax()), found.shape[1])
    down, across = divmod(place, 2 * _REACH + 1)
    shift = np.array([down - _REACH, across - _REACH]) * (SIDE / _ROUGH_SIDE)
    return float(found[place, change]), np.column_stack([np.linalg.inv(_changes()[change]), shift])


def alignable_image(green: Green) -> AlignableImage:
    """Prepare an image for `detail_agreement`."""
    wide = np.asarray(green, np.float32)
    shape = _band(wide, _FINE, _LIGHT)
    down, across = np.gradient(shape)
    return AlignableImage(wide, shape, np.asarray(down), np.asarray(across))


def detail_agreement(
    first: AlignableImage, second: AlignableImage, start: Affine
) -> Agreement | None:
    """Return how well the fine detail of two images agrees; None where they cannot be aligned.

    `start` is roughly where the first lies in the second, see `find_roughly`.
    """
    # A part of an image, which is the larger of the two here, is searched in the whole one.
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
    a = _sampled(first.green, _from_corner(y, x))
    b = _sampled(second.green, there)
    a, b, gain = _in_one_light(a, b, used)
    b = np.where(used, b, a)  # pixels beyond an edge must not count near it either
    side = round(np.sqrt(len(a)))
    if gain >= _BRIGHTER:
        whole = _whole(a, b, side)
        used = used & whole if (used & whole).mean() >= _LEAST_WHOLE else used
    a, b = (_band(one.reshape(side, side), _FINE, _DETAIL).reshape(-1)[used] for one in (a, b))
    lengths = np.sqrt((a * a).sum() * (b * b).sum())
    difference = float(np.sqrt(((a - b) ** 2).mean()))
    return Agreement(float((a * b).sum() / max(float(lengths), 1.0)), difference)


def _rough_shape(green: Green) -> Single:
    step = SIDE // _ROUGH_SIDE
    cells = green.reshape(_ROUGH_SIDE, step, _ROUGH_SIDE, step)
    small = cells.mean(axis=(1, 3), dtype=np.float32)
    smooth = ndimage.gaussian_filter(small, _ROUGH_FINE)
    return np.asarray(smooth - ndimage.gaussian_filter(small, _ROUGH_LIGHT), np.float32)


def _of_length_1(rows: Single) -> Single:
    rows = rows - rows.mean(axis=1, keepdims=True)
    lengths = np.sqrt((rows**2).sum(axis=1, keepdims=True))
    return np.asarray(rows / np.maximum(lengths, _PATCH / 4), np.float32)


@cache
def _changes() -> list[Double]:
    """Return for each change the matrix (2, 2) from places of a patch to places of the image."""
    changes = [(*sizes, 0.0, 1.0) for sizes in _SCALES]
    changes += [(1.0, 1.0, turn, shape) for turn, shape in _TURNS]
    found = []
    for mirror in _MIRRORS:
        for high, wide, turn, shape in changes:
            cos, sin = np.cos(np.deg2rad(turn)), np.sin(np.deg2rad(turn))
            turned = np.array([[cos, -sin * shape], [sin / shape, cos]])
            found.append(np.array([[high * mirror[0]], [wide * mirror[1]]]) * turned)
    return found


@cache
def _patch_sampling() -> sparse.csr_matrix:
    """Return the matrix from an image's pixels to all changed patches: bilinear interpolation."""
    steps = np.arange(_PATCH) - (_PATCH - 1) / 2
    grid = np.stack(np.meshgrid(steps, steps, indexing="ij")).reshape(2, -1)
    y, x = np.concatenate([change @ grid for change in _changes()], axis=1) + (_ROUGH_SIDE - 1) / 2
    top, left = np.floor(y).astype(np.intp), np.floor(x).astype(np.intp)
    dy, dx = y - top, x - left
    places = [(top + j) * _ROUGH_SIDE + left + i for j in (0, 1) for i in (0, 1)]
    weights = [(1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx]
    rows = np.tile(np.arange(len(y)), 4)
    cells = np.concatenate(weights).astype(np.float32), (rows, np.concatenate(places))
    return sparse.csr_matrix(cells, shape=(len(y), _ROUGH_SIDE**2))


def _band(pixels: Single, fine: float, coarse: int) -> Single:
    """Return what is larger than `fine` pixels and smaller than `coarse`, whose mean is cheap."""
    fine_part = ndimage.gaussian_filter(pixels, fine, truncate=3.0)
    return np.asarray(fine_part - ndimage.uniform_filter(pixels, coarse), np.float32)


def _aligned(a: Single, other: AlignableImage, start: Affine) -> Affine | None:
    """Return the best affine from one image to another, by the Gauss-Newton method."""
    y, x = _grid(_STEP)
    wanted = _sampled(a, _from_corner(y, x))
    place, best, best_place = start, -1.0, start
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
            best, best_place = fit, place
        if step >= _PATIENCE and (gained < _STANDSTILL or best < _FAR):
            break
        down, across = (_sampled(slope, there) for slope in other[2:])
        yi, xi = y[inside], x[inside]
        columns = (down * yi, down * xi, down, across * yi, across * xi, across)
        system = np.stack([*columns, -target, -np.ones_like(target)], axis=1)
        normal = system.T @ system
        normal[np.diag_indices(len(normal))] *= 1 + 1e-6
        normal[np.diag_indices(len(normal))] += 1e-9
        place = place + np.linalg.solve(normal, -system.T @ found)[:6].reshape(2, 3)
    return best_place if best >= _FAR else None


def _inverse(place: Affine) -> Affine:
    back = np.linalg.inv(place[:, :2])
    return np.column_stack([back, -back @ place[:, 2]])


def _grid(step: int) -> Points:
    """Return the points of an image that are compared, from its middle."""
    steps = np.arange(0, round(SIDE * _INNER), step, dtype=np.float64)
    steps -= steps.mean()
    y, x = np.meshgrid(steps, steps, indexing="ij")
    return y.reshape(-1), x.reshape(-1)


def _from_corner(y: Double, x: Double) -> Points:
    return y + (SIDE - 1) / 2, x + (SIDE - 1) / 2


def _moved(place: Affine, y: Double, x: Double) -> Points:
    return _from_corner(*(row[0] * y + row[1] * x + row[2] for row in place))


def _is_inside(points: Points) -> Flags:
    y, x = points
    return np.asarray((y >= 1) & (y <= SIDE - 2) & (x >= 1) & (x <= SIDE - 2))


def _sampled(pixels: Single, points: Points) -> Single:
    return np.asarray(ndimage.map_coordinates(pixels, points, order=1, mode="nearest"), np.float32)


def _correlation(a: Single, b: Single) -> float:
    a, b = a - a.mean(), b - b.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-6))


def _in_one_light(a: Single, b: Single, inside: Flags) -> tuple[Single, Single, float]:
    """Scale the darker of two images to the brightness of the other, clipped where that one is.

    Returns both and the gain, 1 or more.
    """
    used = inside & (a > _DARK) & (a < _BRIGHT) & (b > _DARK) & (b < _BRIGHT)
    used = used if used.sum() > len(used) // 50 else inside
    gain = float(b[used].std() / max(float(a[used].std()), 1e-3))
    if gain < 1:
        b, a, gain = _in_one_light(b, a, inside)
        return a, b, gain
    offset = float(b[used].mean()) - gain * float(a[used].mean())
    return np.clip(gain * a + offset, 0, 255), b, gain


def _whole(a: Single, b: Single, side: int) -> Flags:
    """Return the pixels that are not clipped at black or white, nor near one that is."""
    cut = (np.minimum(a, b) <= _DARK) | (np.maximum(a, b) >= _BRIGHT)
    near = ndimage.gaussian_filter(cut.reshape(side, side).astype(np.float32), _NEAR)
    return np.asarray(near.reshape(-1) <= _NEAR_SHARE)
