"""Colours, smooth steps and tileable noise, shared by all drawings."""

from __future__ import annotations

import colorsys
import math
from functools import cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Array: TypeAlias = NDArray[Any]
"""float32: (rows, columns) over pixels, or (3, rows, columns) for red, green and blue, 0 to 1."""

TILE, WAVES = 512, 32
"""Samples and wavelengths along a side of the noise tables; powers of two, to wrap by a mask."""


@cache
def rgb(text: str) -> Array:
    """Turn "#rrggbb" into red, green and blue, float32 (3, 1, 1), 0 to 1, not writable."""
    levels = np.frombuffer(bytes.fromhex(text[1:]), dtype=np.uint8)
    colour = (levels / 255.0).astype(np.float32)[:, None, None]
    colour.setflags(write=False)
    return colour


def shifted(colour: str, *, hue: float, saturation: float, brightness: float) -> Array:
    """Turn the hue by a share of the circle, and scale saturation and brightness."""
    h, s, v = colorsys.rgb_to_hsv(*rgb(colour).ravel().tolist())
    scaled = min(1.0, s * saturation), min(1.0, v * brightness)
    turned = colorsys.hsv_to_rgb((h + hue) % 1.0, *scaled)
    return np.array(turned, dtype=np.float32)[:, None, None]


def blend(ground: Array, paint: Array, cover: Array | float) -> Array:
    """Lay `paint` over `ground` with opacity `cover` (0 to 1)."""
    return np.asarray(ground + (paint - ground) * cover, dtype=np.float32)


def smoothstep(low: float, high: float, x: Array) -> Array:
    """Rise smoothly from 0 at `low` to 1 at `high`; `low` > `high` falls instead."""
    t = np.clip((x - low) * (1.0 / (high - low)), 0.0, 1.0)
    return t * t * (3.0 - 2.0 * t)


def bump(centre: float, width: float, x: Array) -> Array:
    """Return a bell of height 1 around `centre` that reaches 0 at `width` to either side."""
    return smoothstep(width, 0.0, np.abs(x - centre))


@cache
def noise_table(kind: str) -> Array:
    """Return a tileable table of noise, float32 (TILE, TILE), evenly spread over 0 to 1.

    `kind` is "blob" (one scale, WAVES wavelengths a side), "cloud" (coarse to fine), "grain"
    (white) or "web" (the bright lines under a rippled surface, mostly 0). Seeds are fixed.
    """
    from scipy.special import ndtr

    if kind == "web":
        blob = noise_table("blob")
        ridge = np.abs(blob - np.roll(blob, (171, 293), axis=(0, 1)))
        return np.asarray(np.clip(1.0 - 3.2 * ridge, 0.0, 1.0) ** 2)
    frequency = np.hypot(np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None, :]) * TILE
    seed, gain = {
        "blob": (11, np.exp(-(((frequency - WAVES) / (0.45 * WAVES)) ** 2))),
        "cloud": (12, 1.0 / np.maximum(frequency, 3.0) ** 1.55),
        "grain": (13, np.ones_like(frequency)),
    }[kind]
    white = np.random.default_rng(seed).standard_normal((TILE, TILE))
    smooth = np.fft.irfft2(np.fft.rfft2(white) * gain, s=(TILE, TILE))
    return np.asarray(ndtr((smooth - smooth.mean()) / smooth.std()), dtype=np.float32)


def noise(a: Array, b: Array, kind: str = "blob") -> Array:
    """Return a table's value, nearest neighbour, at places in wavelengths of the "blob" kind."""
    step, table = TILE / WAVES, noise_table(kind)
    rows, columns = ((at * step + 8.0 * TILE).astype(np.int32) & (TILE - 1) for at in (b, a))
    return np.asarray(table.ravel().take(rows * TILE + columns))


def texture(shape: tuple[int, ...], rng: np.random.Generator, kind: str) -> Array:
    """Return a random piece of a table, one sample a pixel."""
    rows, columns = (np.arange(size) + int(rng.integers(TILE)) for size in shape)
    return np.asarray(noise_table(kind)[rows[:, None] % TILE, columns % TILE])


def clouds(
    shape: tuple[int, int], waves: tuple[float, float], rng: np.random.Generator, kind: str
) -> Array:
    """Return noise over a whole image, with so many wavelengths downwards and across."""
    height, width = (max(2, round(n * TILE / WAVES)) for n in waves)
    top, left = int(rng.integers(TILE - height + 1)), int(rng.integers(TILE - width + 1))
    piece = Image.fromarray(noise_table(kind)[top : top + height, left : left + width])
    scaled = piece.resize((shape[1], shape[0]), Image.Resampling.BICUBIC)
    return np.clip(np.asarray(scaled, dtype=np.float32), 0.0, 1.0)


def pixel_grid(shape: tuple[int, ...], turn: float = 0.0) -> tuple[Array, Array]:
    """Return x and y from the middle of an image, in shares of its height, turned by radians."""
    y, x = ((np.arange(size, dtype=np.float32) - size / 2) / shape[0] for size in shape)
    cosine, sine = math.cos(turn), math.sin(turn)
    if not turn:
        return x[None, :], y[:, None]
    return x * cosine + y[:, None] * sine, y[:, None] * cosine - x * sine


def between(rng: np.random.Generator, low: float, high: float) -> float:
    """Draw a plain float evenly from `low` to `high` (NumPy scalars would widen float32)."""
    return float(rng.uniform(low, high))


def around(rng: np.random.Generator, centre: float, spread: float) -> float:
    """Draw a plain float from a normal distribution cut off at two spreads."""
    return centre + spread * min(max(float(rng.standard_normal()), -2.0), 2.0)
