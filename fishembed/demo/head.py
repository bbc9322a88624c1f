"""What a head carries: eye, mouth, nostril, barbels."""

from __future__ import annotations

import numpy as np

from fishembed.demo.colour import Colour, mixed, rgb
from fishembed.demo.fields import Field, smoothstep
from fishembed.demo.light import Light
from fishembed.demo.outline import Outline
from fishembed.demo.stage import Layer
from fishembed.demo.traits import Barbel, Head, Palette


def _disc(off: Field, radius: float, scale: float) -> Field:
    """Return a disc whose edge is one pixel soft."""
    return np.clip((radius - off) * np.float32(scale) + 0.5, 0.0, 1.0)


def _tinted(colour: str, light: Light) -> Colour:
    return rgb(colour) * np.array(light.tint, dtype=np.float32)


def paint_eye(layer: Layer, outline: Outline, head: Head, palette: Palette, light: Light) -> None:
    """Paint socket, iris, pupil and the lamp's reflection."""
    stage, r = layer.stage, head.eye
    y = outline.place(head.eye_x, head.eye_y)
    far = r * 1.8
    window = stage.part(head.eye_x - far, head.eye_x + far, y - far, y + far)
    right, up = stage.x[window] - head.eye_x, stage.y[window] - y
    off = np.sqrt(right * right + up * up)
    dark = rgb("#0a0a0b")
    layer.paint(window, dark, 0.45 * smoothstep(r * 1.5, r * 0.9, off))
    iris = _tinted(palette.iris, light)
    shade = np.clip(0.85 + 0.35 * up / np.float32(r), 0.45, 1.25)
    layer.paint(window, iris[:, None, None] * shade, _disc(off, r, stage.scale))
    layer.paint(window, dark, _disc(off, r, stage.scale) * smoothstep(r * 0.78, r, off) * 0.7)
    layer.paint(window, dark, _disc(off, r * 0.58, stage.scale))
    glint = np.sqrt((right + 0.26 * r) ** 2 + (up - 0.34 * r) ** 2)
    layer.paint(window, rgb("#fbfdfd"), 0.95 * _disc(glint, r * 0.2, stage.scale))
    low = np.sqrt((right - 0.25 * r) ** 2 + (up + 0.4 * r) ** 2)
    layer.paint(window, rgb("#9fb6bd"), 0.35 * _disc(low, r * 0.16, stage.scale))


def paint_mouth(layer: Layer, outline: Outline, head: Head, palette: Palette) -> None:
    """Paint the cleft of the mouth, its lips and the nostril."""
    stage = layer.stage
    y = outline.place(2.0, head.mouth_y)
    far = head.mouth + 2.0
    window = stage.part(-1.5, far + 1.0, y - far, y + far)
    x = stage.x[window]
    bow = y - head.mouth_slope * x - 0.012 * x * x
    off = (stage.y[window] - bow) * np.float32(stage.scale)
    reach = smoothstep(head.mouth, head.mouth * 0.7, x)
    inside = layer.cover[window]
    width = max(0.6, 0.20 * stage.scale)
    lip = rgb(mixed(palette.flank, "#f0d8c4", 0.35))
    if head.lips:
        swell = smoothstep(3.2 * width, 1.2 * width, np.abs(off)) * np.float32(head.lips * 0.7)
        layer.paint(window, lip, swell * reach * inside)
    layer.paint(
        window, rgb("#17110d"), 0.85 * np.clip(1.25 - np.abs(off) / width, 0, 1) * reach * inside
    )
    if head.eye_x > 6.0:
        nose_x, nose_y = head.eye_x * 0.5, outline.place(head.eye_x * 0.5, head.eye_y + 0.12)
        spot = stage.part(nose_x - 1.0, nose_x + 1.0, nose_y - 1.0, nose_y + 1.0)
        off = np.hypot(stage.x[spot] - nose_x, stage.y[spot] - nose_y)
        layer.paint(spot, rgb("#1a1512"), 0.5 * _disc(off, 0.42, stage.scale) * layer.cover[spot])


def paint_barbel(
    layer: Layer, outline: Outline, barbel: Barbel, palette: Palette, light: Light
) -> None:
    """Paint a whisker or free ray: a bent line that thins out."""
    stage = layer.stage
    t = np.linspace(0.0, 1.0, 13, dtype=np.float32)
    y = outline.place(barbel.x, barbel.y)
    side = np.array([-barbel.dy, barbel.dx], dtype=np.float32) * barbel.bend
    bow = 4.0 * t * (1.0 - t)
    xs = barbel.x + barbel.dx * t + side[0] * bow
    ys = y + barbel.dy * t + side[1] * bow
    window = stage.part(xs.min() - 1.5, xs.max() + 1.5, ys.min() - 1.5, ys.max() + 1.5)
    px, py = stage.x[window], stage.y[window]
    cover = np.zeros_like(px)
    for i in range(len(t) - 1):
        step_x, step_y = xs[i + 1] - xs[i], ys[i + 1] - ys[i]
        size = max(float(step_x * step_x + step_y * step_y), 1e-6)
        share = np.clip(((px - xs[i]) * step_x + (py - ys[i]) * step_y) / size, 0.0, 1.0)
        off = np.hypot(px - xs[i] - share * step_x, py - ys[i] - share * step_y)
        wide = max(barbel.thickness * (1.0 - 0.75 * float(t[i])), 0.55 / stage.scale)
        np.maximum(cover, np.clip((wide - off) * stage.scale + 0.5, 0.0, 1.0), out=cover)
    layer.paint(window, _tinted(barbel.colour or palette.flank, light) * 0.8, cover * 0.92)
