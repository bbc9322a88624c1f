"""Where a fish lies in an image: pixels in fish coordinates, its outline, the side of its body.

Fish coordinates are percent of the standard length: x from the snout (0) to the root of the tail
(100), y upwards from the axis of the body, along which they bend.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np

from fishembed.demo.pixels import Array

Window: TypeAlias = tuple[slice, slice]

STATIONS = (0, 3, 8, 15, 25, 38, 52, 66, 80, 92, 100)
"""Places along the axis at which a species has heights of its outline."""

MIDDLE, ROOT = 54.0, 103.0
"""The x that a fish turns about, and where the flesh at the root of the tail ends."""


class Curve:
    """A function tabulated at evenly spaced x, fast for whole arrays."""

    def __init__(self, x: Array, values: Array) -> None:
        self._start, self._step = float(x[0]), 1.0 / float(x[1] - x[0])
        self._values = values.astype(np.float32)

    def __call__(self, x: Array) -> Array:
        """Return the value nearest to each `x`; beyond the ends the last value holds."""
        index = ((x - self._start) * self._step + 0.5).astype(np.int32)
        return np.asarray(self._values[np.clip(index, 0, len(self._values) - 1)])


@dataclass(frozen=True)
class Pose:
    """Pose of one fish in the image.

    `x`, `y` (of its middle) and `length` are shares of the image's size; `angle` is in degrees
    with the clock. The wave along the body has the height `bend` and the length `wave`, in percent,
    and begins at `phase`, in radians.
    """

    x: float
    y: float
    length: float
    angle: float
    faces_left: bool
    bend: float = 0.0
    phase: float = 0.0
    wave: float = 115.0


class Canvas:
    """The pixels around a fish from x = `ends` and -`tall` to `tall`, and what is painted on them.

    `window` is their place in the image, `x` and `y` their fish coordinates, `scale` the pixels
    per percent; `colour`, already multiplied by `cover`, is painted from back to front.
    """

    def __init__(
        self, pose: Pose, shape: tuple[int, int], ends: tuple[float, float], tall: float
    ) -> None:
        self.scale = pose.length * shape[1] / 100.0
        down = np.arange(shape[0], dtype=np.float32)[:, None] + (0.5 - pose.y * shape[0])
        across = np.arange(shape[1], dtype=np.float32)[None, :] + (0.5 - pose.x * shape[1])
        turn, stretch = math.radians(pose.angle), 1.0 if pose.faces_left else -1.0
        cosine, sine = math.cos(turn) / self.scale, math.sin(turn) / self.scale
        x = across * (cosine / stretch) + (down * (sine / stretch) + MIDDLE)
        y = across * sine - down * cosine
        axis = np.linspace(-40.0, 180.0, 881)
        swing = pose.bend * (0.25 + 0.75 * np.clip(axis / 100.0, 0.0, 1.4) ** 1.6)
        bent = swing * np.sin(2.0 * np.pi * axis / pose.wave + pose.phase)
        thin = np.hypot(1.0, np.gradient(bent, axis))
        self.x, self.y, high = x, y, tall * float(thin.max()) + float(np.abs(bent).max())
        self.window = self.part(*ends, -high, high)
        self.x, off_axis = x[self.window], y[self.window] - Curve(axis, bent)(x[self.window])
        self.y = off_axis / Curve(axis, thin)(self.x)
        self.colour = np.zeros((3, *self.x.shape), dtype=np.float32)
        self.cover = np.zeros(self.x.shape, dtype=np.float32)

    def part(self, left: float, right: float, bottom: float, top: float) -> Window:
        """Return the window, within this canvas, around a box of fish coordinates."""
        more = 1.5 / self.scale
        inside = (self.x > left - more) & (self.x < right + more)
        inside &= (self.y > bottom - more) & (self.y < top + more)
        places = [np.flatnonzero(inside.any(axis)) for axis in (1, 0)]
        rows, columns = (slice(at[0], at[-1] + 1) if at.size else slice(0, 0) for at in places)
        return rows, columns

    def paint(self, window: Window, colour: Array, cover: Array) -> None:
        """Lay `colour` (3, 1, 1) or (3, rows, columns) over a window, as opaque as `cover`."""
        below = self.colour[:, window[0], window[1]]
        below += (colour - below) * cover
        self.cover[window] += (1.0 - self.cover[window]) * cover


class Outline:
    """Height of the back, depth of the belly and their slopes along the axis."""

    def __init__(self, back: tuple[float, ...], belly: tuple[float, ...]) -> None:
        from scipy.interpolate import PchipInterpolator

        x = np.linspace(0.0, ROOT, 1031)
        snout = np.sqrt(1.0 - np.clip(1.0 - x / 2.2, 0.0, 1.0) ** 2)
        root = np.sqrt(np.clip((ROOT - x) / (ROOT - 100.0), 0.0, 1.0))
        through = PchipInterpolator(STATIONS, np.array([back, belly]), axis=1)
        upper, lower = through(np.minimum(x, 100.0)) * snout * root
        self.back, self.belly = Curve(x, upper), Curve(x, lower)
        self.back_slope = Curve(x, np.gradient(upper, x))
        self.belly_slope = Curve(x, np.gradient(lower, x))
        self.highest, self.lowest = float(upper.max()), float(lower.max())

    def height(self, x: float, share: float) -> float:
        """Return the y that lies `share` of half the depth above the middle of the body at x."""
        back, belly = (float(curve(np.array([x]))[0]) for curve in (self.back, self.belly))
        return (back - belly) / 2.0 + share * (back + belly) / 2.0


class Side:
    """The side of a body, pixel by pixel of a window of the canvas.

    `v` is the height on the flank (-1 at the belly line, 1 at the back line), `half` half the
    depth at x, `deepest` the most and `swell` the growth of it, `cover` 1 inside and 0 outside.
    """

    def __init__(self, canvas: Canvas, outline: Outline) -> None:
        self.scale, self.deepest = canvas.scale, (outline.highest + outline.lowest) / 2.0
        self.window = canvas.part(-1.0, ROOT + 1.0, -outline.lowest - 1.0, outline.highest + 1.0)
        self.x, self.y = x, y = canvas.x[self.window], canvas.y[self.window]
        back, belly = outline.back(x), outline.belly(x)
        up, down = outline.back_slope(x), outline.belly_slope(x)
        self.half, self.swell = (back + belly) * 0.5, (up + down) * 0.5
        off = y - (back - belly) * 0.5
        self.v = np.clip(off / np.maximum(self.half, 0.05), -1.0, 1.0)
        slope = np.where(off > 0.0, up, down)
        inside = (self.half - np.abs(off)) / np.sqrt(1.0 + slope * slope)
        self.cover = np.clip(inside * canvas.scale + 0.5, 0.0, 1.0) * (self.half > 0.0)
