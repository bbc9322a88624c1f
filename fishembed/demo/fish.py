"""One whole fish, painted from back to front onto a layer of its own."""

from __future__ import annotations

import numpy as np

from fishembed.demo.body import flesh
from fishembed.demo.fields import bump, smoothstep
from fishembed.demo.fins import FinPainter
from fishembed.demo.head import paint_barbel, paint_eye, paint_mouth
from fishembed.demo.light import Light
from fishembed.demo.outline import Outline, surface
from fishembed.demo.stage import Layer, Pose, Stage
from fishembed.demo.traits import Individual, Species


def _reach(fish: Species, outline: Outline) -> tuple[float, float, float, float]:
    """Return left, right, bottom and top of everything a fish may cover."""
    back = [max(fin.heights) for fin in fish.fins if fin.side == "back"]
    belly = [max(fin.heights) for fin in fish.fins if fin.side == "belly"]
    threads = [abs(barbel.dy) + abs(barbel.dx) * abs(barbel.bend) for barbel in fish.barbels]
    ahead = [barbel.x + min(barbel.dx, 0.0) * 1.3 for barbel in fish.barbels]
    paired = [fish.pectoral.fan.length]
    if fish.pelvic is not None:
        paired.append(fish.pelvic.fan.length)
    below = outline.lowest + max([*belly, *threads, *paired, 0.0])
    above = outline.highest + max([*back, *[t * 0.5 for t in threads], 0.0])
    tail = fish.tail.spread + abs(fish.tail.wave)
    right = 100.0 + fish.tail.length * (1.05 + abs(fish.tail.lean))
    return min([0.0, *ahead]) - 3.0, right + 3.0, -max(below, tail) - 2.0, max(above, tail) + 2.0


def _paint_body(layer: Layer, outline: Outline, fish: Individual, light: Light) -> None:
    """Paint the body; a clear one lets the scene through and shows gut and backbone."""
    body = surface(layer.stage, outline)
    colour = flesh(body, outline, fish, light)
    cover = body.cover
    clear = fish.form.skin.clear
    if clear:
        sac = smoothstep(40.0, 30.0, body.x + 10.0 * body.v) * smoothstep(0.55, 0.1, body.v)
        spine = bump(0.08, 0.10, body.v) * smoothstep(20.0, 26.0, body.x)
        ribs = 0.5 + 0.5 * np.cos(body.x * 1.6 + 3.0 * np.abs(body.v))
        colour = colour * (1.0 - 0.35 * spine - 0.12 * ribs * bump(0.1, 0.6, body.v))
        solid = np.clip(1.0 - clear + clear * np.maximum(sac, 0.7 * spine), 0.0, 1.0)
        edge = np.abs(body.v) ** 6
        cover = cover * np.clip(solid + 0.25 * edge, 0.0, 1.0)
    root = smoothstep(103.0, 97.5, body.x)
    layer.paint(body.window, colour, cover * (0.25 + 0.75 * root))


def _paint_fins(layer: Layer, outline: Outline, fish: Individual, light: Light) -> FinPainter:
    """Paint the fins that the body covers, and return what paints the one that it does not."""
    form = fish.form
    fins = FinPainter(layer, outline, fish, light)
    fins.tail(form.tail)
    for fin in form.fins:
        fins.median(fin)
    if form.pelvic is not None:
        fins.paired(form.pelvic)
    return fins


def paint_fish(fish: Individual, pose: Pose, light: Light, shape: tuple[int, int]) -> Layer:
    """Paint one fish.

    Parameters
    ----------
    fish
        The individual.
    pose, light
        How it lies and what falls on it.
    shape
        Rows and columns of the picture.

    Returns
    -------
    Layer
        Colour times cover, and cover, over the window of the fish.
    """
    form, palette = fish.form, fish.palette
    outline = Outline(form.profile)
    layer = Layer(Stage(pose, shape, _reach(form, outline)))
    fins = _paint_fins(layer, outline, fish, light)
    for barbel in form.barbels:
        paint_barbel(layer, outline, barbel, palette, light)
    _paint_body(layer, outline, fish, light)
    paint_mouth(layer, outline, form.head, palette)
    paint_eye(layer, outline, form.head, palette, light)
    fins.paired(form.pectoral)
    return layer
