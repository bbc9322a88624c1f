"""The outline of a body and the surface inside it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fishembed.demo.fields import Field
from fishembed.demo.stage import Curve, Stage, Window
from fishembed.demo.traits import STATIONS, Profile

_SNOUT = 2.2
"""Length over which the tip of the snout is rounded off."""

_ROOT = 103.0
"""Where the flesh at the root of the tail ends."""


class Outline:
    """Height of the back, depth of the belly and their slopes along the axis."""

    def __init__(self, profile: Profile) -> None:
        from scipy.interpolate import PchipInterpolator

        x = np.linspace(0.0, _ROOT, 600)
        inside = np.minimum(x, 100.0)
        tip = np.sqrt(1.0 - np.clip(1.0 - x / _SNOUT, 0.0, 1.0) ** 2)
        end = np.sqrt(np.clip((_ROOT - x) / (_ROOT - 100.0), 0.0, 1.0))
        ends = np.concatenate([[0.0], tip * end, [0.0]])
        grid = np.concatenate([[-0.01], x, [_ROOT + 0.01]])
        stations = np.concatenate([[inside[0]], inside, [100.0]])
        both = np.array([profile.back, profile.belly])
        back, belly = PchipInterpolator(STATIONS, both, axis=1)(stations) * ends
        self.back = Curve(grid, back)
        self.belly = Curve(grid, belly)
        self.back_slope = Curve(grid, np.gradient(back, grid))
        self.belly_slope = Curve(grid, np.gradient(belly, grid))
        self.highest = float(back.max())
        self.lowest = float(belly.max())
        self.root = max(0.5, float(profile.back[-1]))

    def at(self, x: float) -> tuple[float, float]:
        """Return middle of the body and half its depth at one place on the axis."""
        where = np.array([x], dtype=np.float32)
        back, belly = float(self.back(where)[0]), float(self.belly(where)[0])
        return (back - belly) / 2.0, (back + belly) / 2.0

    def place(self, x: float, share: float) -> float:
        """Return the y that lies `share` of half the depth above the middle of the body at x."""
        middle, half = self.at(x)
        return middle + share * half


@dataclass(frozen=True)
class Surface:
    """The side of a body, pixel by pixel.

    Attributes
    ----------
    window
        Its window of the stage; all arrays have this window's shape.
    x, y
        Fish coordinates.
    v
        Height as a share of half the depth: -1 at the belly line, 1 at the back line.
    half
        Half the depth at x.
    cover
        1 inside, 0 outside, between the two on the edge.
    scale
        Pixels per percent of the standard length.
    """

    window: Window
    x: Field
    y: Field
    v: Field
    half: Field
    cover: Field
    scale: float


def surface(stage: Stage, outline: Outline) -> Surface:
    """Find the pixels of a body and where on its side each of them lies."""
    window = stage.part(-1.0, _ROOT + 1.0, -outline.lowest - 1.0, outline.highest + 1.0)
    x, y = stage.x[window], stage.y[window]
    back, belly = outline.back(x), outline.belly(x)
    half = (back + belly) * 0.5
    off = y - (back - belly) * 0.5
    slope = np.where(off > 0.0, outline.back_slope(x), outline.belly_slope(x))
    inside = (half - np.abs(off)) / np.sqrt(1.0 + slope * slope)
    cover = np.clip(inside * stage.scale + 0.5, 0.0, 1.0) * (half > 0.0)
    v = np.clip(off / np.maximum(half, 0.05), -1.0, 1.0)
    return Surface(window, x, y, v, half, cover, stage.scale)
