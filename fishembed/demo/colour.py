"""Colours: from "#rrggbb" to arrays, small changes of them, and their names in plain words."""

from __future__ import annotations

import colorsys
import math
from functools import cache
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Colour: TypeAlias = NDArray[np.float32]
"""Red, green and blue, float32 (3,), 0 to 1."""

_NAMED = {
    "black": "#1d1c1b",
    "dark brown": "#3f3023",
    "brown": "#735439",
    "grey-brown": "#77695a",
    "yellow-brown": "#a4834a",
    "olive": "#6c6b3c",
    "dark olive": "#45472c",
    "olive-green": "#77803f",
    "green": "#5d8f45",
    "yellow-green": "#a9b13f",
    "yellow": "#ddc04a",
    "golden": "#c9a24a",
    "orange": "#e0742a",
    "red": "#b53a2b",
    "pinkish": "#d3a79b",
    "cream": "#e6dbb9",
    "white": "#f0eee6",
    "silver": "#c3c9c8",
    "silver-grey": "#9aa3a3",
    "grey": "#7d8080",
    "dark grey": "#4b4f50",
    "blue-grey": "#6f8592",
    "blue": "#4a76a3",
    "green-grey": "#73857a",
}


@cache
def rgb(text: str) -> Colour:
    """Turn "#rrggbb" into red, green and blue from 0 to 1 (a shared array: do not write to it)."""
    values = [int(text[i : i + 2], 16) / 255.0 for i in (1, 3, 5)]
    colour = np.array(values, dtype=np.float32)
    colour.setflags(write=False)
    return colour


def text(colour: Colour) -> str:
    """Turn red, green and blue from 0 to 1 into "#rrggbb"."""
    levels = np.clip(np.rint(colour * 255.0), 0, 255).astype(int)
    return "#{:02x}{:02x}{:02x}".format(*levels)


def shifted(colour: str, *, hue: float, saturation: float, brightness: float) -> str:
    """Turn the hue by a share of the circle and scale saturation and brightness of "#rrggbb"."""
    h, s, v = colorsys.rgb_to_hsv(*(float(c) for c in rgb(colour)))
    turned = colorsys.hsv_to_rgb(
        (h + hue) % 1.0, min(1.0, max(0.0, s * saturation)), min(1.0, max(0.0, v * brightness))
    )
    return text(np.array(turned, dtype=np.float32))


def mixed(first: str, second: str, share: float) -> str:
    """Mix two colours, `share` of the second."""
    return text(rgb(first) * (1.0 - share) + rgb(second) * share)


@cache
def _lab(colour: str) -> tuple[float, float, float]:
    """Return CIE L*a*b* (D65) of an sRGB colour."""
    levels = rgb(colour).astype(np.float64)
    linear = np.where(levels > 0.04045, ((levels + 0.055) / 1.055) ** 2.4, levels / 12.92)
    to_xyz = np.array(
        [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    )
    x, y, z = np.cbrt(to_xyz @ linear / np.array([0.9505, 1.0, 1.089])).tolist()
    return 116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)


def name_of(colour: str) -> str:
    """Return the plain name nearest to a colour, by distance in CIE L*a*b*."""
    wanted = _lab(colour)
    return min(_NAMED, key=lambda name: math.dist(_lab(_NAMED[name]), wanted))
