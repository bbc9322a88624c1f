"""Smooth steps, tileable noise and caustics: the scalar fields every picture is mixed from."""

from __future__ import annotations

from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Field: TypeAlias = NDArray[Any]
"""A float32 array (rows, columns) over the pixels of a picture or of a window of it."""

Picture: TypeAlias = NDArray[Any]
"""Planes of red, green and blue, float32 (3, rows, columns), 0 to 1."""

TILE = 512
"""Side of the noise tables in samples; a power of two, so that wrapping is a bit mask."""

WAVES = 32
"""Wavelengths of the smooth noise along one side of its table."""


def smoothstep(low: float, high: float, x: Field) -> Field:
    """Rise smoothly from 0 at `low` to 1 at `high`; `low` > `high` falls instead."""
    t = np.clip((x - low) * np.float32(1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(centre: float, width: float, x: Field) -> Field:
    """Return a bell of height 1 around `centre` that reaches 0 at `width` to either side."""
    t: Field = np.clip(1.0 - np.abs(x - centre) * np.float32(1.0 / width), 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _filtered(seed: int, gain: NDArray[np.float64]) -> Field:
    """Filter white noise in the frequency domain and spread it evenly over 0 to 1."""
    from scipy.special import ndtr

    white = np.random.default_rng(seed).standard_normal((TILE, TILE))
    smooth = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(TILE, TILE))
    smooth -= smooth.mean()
    return np.asarray(ndtr(smooth / smooth.std()), dtype=np.float32)


def _frequencies() -> NDArray[np.float64]:
    """Return the radial frequency of every coefficient of a table, in cycles per table."""
    rows = np.fft.fftfreq(TILE)[:, None] * TILE
    columns = np.fft.rfftfreq(TILE)[None, :] * TILE
    return np.asarray(np.hypot(rows, columns))


@cache
def noise_table(kind: str) -> Field:
    """Return a tileable table of noise, float32 (TILE, TILE), evenly spread over 0 to 1.

    `kind` is "blob" (one scale, WAVES wavelengths a side), "cloud" (all scales, the coarse
    ones strongest) or "grain" (white). Tables have seeds of their own: a picture chooses
    only where in a table it looks.
    """
    frequency = _frequencies()
    if kind == "blob":
        return _filtered(11, np.exp(-(((frequency - WAVES) / (0.45 * WAVES)) ** 2)))
    if kind == "cloud":
        return _filtered(12, 1.0 / np.maximum(frequency, 3.0) ** 1.55)
    if kind == "grain":
        return _filtered(13, np.ones_like(frequency))
    raise ValueError(f"no noise of the kind {kind!r}: use blob, cloud or grain")


@cache
def caustic_table() -> Field:
    """Return the web of light under a rippled surface, float32 (TILE, TILE), tileable, 0 to 1.

    A surface of height h sends the light that falls on a point aside by the gradient of h;
    counting where the rays arrive gives the bright lines.
    """
    frequency = _frequencies()
    white = np.random.default_rng(14).standard_normal((TILE, TILE))
    height = np.fft.rfft2(white) * np.exp(-(((frequency - 4.0) / 5.0) ** 2))
    height /= np.maximum(frequency, 1.0) ** 1.2
    down = np.fft.irfft2(2.0j * np.pi * np.fft.fftfreq(TILE)[:, None] * height, s=(TILE, TILE))
    across = np.fft.irfft2(2.0j * np.pi * np.fft.rfftfreq(TILE)[None, :] * height, s=(TILE, TILE))
    far = 11.0 / np.sqrt(np.mean(down * down + across * across))
    light = np.zeros(TILE * TILE)
    for shift in np.arange(9) / 9.0:
        offset = np.arange(TILE) + shift
        rows = np.floor(offset[:, None] + far * down).astype(np.int64) % TILE
        columns = np.floor(offset[None, :] + far * across).astype(np.int64) % TILE
        light += np.bincount((rows * TILE + columns).ravel(), minlength=TILE * TILE)
    spread = np.fft.rfft2(light.reshape(TILE, TILE)) * np.exp(-((frequency / 130.0) ** 2))
    web = np.fft.irfft2(spread, s=(TILE, TILE)) / 9.0
    return np.asarray(np.clip((web - 0.55) / 3.2, 0.0, 1.0), dtype=np.float32)


def look_up(table: Field, a: Field, b: Field) -> Field:
    """Sample a table at `a` columns and `b` rows, in samples above -8 TILE, nearest neighbour."""
    index = (b + np.float32(8 * TILE)).astype(np.int32)
    index <<= TILE.bit_length() - 1
    columns = (a + np.float32(8 * TILE)).astype(np.int32)
    columns &= TILE - 1
    index = index | columns
    index &= TILE * TILE - 1
    return np.asarray(table.ravel().take(index, mode="wrap"))


def noise(a: Field, b: Field, kind: str = "blob") -> Field:
    """Sample noise at coordinates that are measured in wavelengths of the "blob" kind."""
    step = np.float32(TILE / WAVES)
    return look_up(noise_table(kind), a * step, b * step)


def ribbon(a: Field, row: int, kind: str = "blob") -> Field:
    """Sample one row of noise along `a`, measured in wavelengths: a wavering line."""
    table = noise_table(kind)[row & (TILE - 1)]
    place = a * np.float32(TILE / WAVES) + np.float32(8 * TILE)
    columns = place.astype(np.int32)
    share = place - columns.astype(np.float32)
    left = table.take(columns, mode="wrap")
    return np.asarray(left + (table.take(columns + 1, mode="wrap") - left) * share)


def stretched(
    shape: tuple[int, int], waves: tuple[float, float], rng: np.random.Generator, kind: str
) -> Field:
    """Lay noise over a whole picture, smoothly enlarged.

    Parameters
    ----------
    shape
        Rows and columns of the picture.
    waves
        Wavelengths from top to bottom and from left to right (at most WAVES each).
    rng
        Chooses the piece of the table.
    kind
        As in `noise_table`.

    Returns
    -------
    Field
        float32 `shape`, 0 to 1.
    """
    height, width = (max(2, round(min(n, WAVES) * TILE / WAVES)) for n in waves)
    top = int(rng.integers(0, TILE - height + 1))
    left = int(rng.integers(0, TILE - width + 1))
    piece = Image.fromarray(noise_table(kind)[top : top + height, left : left + width])
    scaled = piece.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(scaled, dtype=np.float32), 0.0, 1.0)


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a plain float evenly from `low` to `high` (NumPy scalars would widen float32)."""
    return float(rng.uniform(low, high))


def around(rng: np.random.Generator, centre: float, spread: float) -> float:
    """Draw a plain float from a normal distribution cut off at two spreads."""
    return centre + spread * min(max(float(rng.standard_normal()), -2.0), 2.0)
