"""Fins: thin skins held by rays, so that what is behind shines through."""

from __future__ import annotations

import numpy as np

from fishembed.demo.colour import mixed, rgb
from fishembed.demo.fields import Field, Picture, noise, smoothstep
from fishembed.demo.light import Light
from fishembed.demo.marks import speckle
from fishembed.demo.outline import Outline
from fishembed.demo.stage import Curve, Layer, Window
from fishembed.demo.traits import Fan, Individual, MedianFin, PairedFin, Spots


def _rays(across: Field, count: int, width_in_pixels: float) -> Field:
    """Return thin ribs, 0 between and 1 on them; they vanish where they would be too close."""
    visible = np.float32(np.clip((width_in_pixels / max(count, 1) - 1.6) / 2.0, 0.0, 1.0))
    wave = 0.5 + 0.5 * np.cos(across * np.float32(2.0 * np.pi * count))
    return np.asarray(wave * wave * wave * visible)


def _membrane(base: str, reach: Field, ribs: Field, light: Light, cloud: Field) -> Picture:
    """Return the colour of a fin: darker at the root, ribs above the skin between them."""
    tint = np.array(light.tint, dtype=np.float32)
    ground = rgb(base)
    rib = rgb(mixed(base, "#15120c", 0.42))
    pale = rgb(mixed(base, "#f4f0dc", 0.22))
    rim = np.clip(reach, 0.0, 1.0)
    colour = ground[:, None, None] + (pale - ground)[:, None, None] * (rim * 0.8)
    colour = colour + (rib[:, None, None] - colour) * (ribs * 0.5)
    brightness = (0.86 + 0.22 * cloud) * (0.8 + 0.2 * rim)
    return np.asarray(colour * brightness * tint[:, None, None], dtype=np.float32)


def _opacity(reach: Field, ribs: Field, density: float) -> Field:
    """Return how much of the scene behind a fin it hides."""
    return np.clip(np.float32(density) * (1.0 - 0.45 * reach) + 0.16 * ribs, 0.0, 0.97)


class FinPainter:
    """Paints the fins of one fish onto its layer."""

    def __init__(self, layer: Layer, outline: Outline, fish: Individual, light: Light) -> None:
        self._layer = layer
        self._outline = outline
        self._light = light
        self._colour = fish.palette.fins
        self._offset = fish.offset
        self._density = 0.8 - 0.4 * fish.form.skin.clear
        spotted = (mark for mark in fish.form.marks if isinstance(mark, Spots) and mark.on_fins)
        self._spots = next(spotted, None)

    def _finish(self, window: Window, base: str, edge: Field, reach: Field, ribs: Field) -> None:
        """Colour a fin of which edge, reach from the root and ribs are known, and paint it."""
        x, y = self._layer.stage.x[window], self._layer.stage.y[window]
        cloud = noise(x * 0.09 + self._offset, y * 0.09)
        colour = _membrane(base, reach, ribs, self._light, cloud)
        if self._spots is not None:
            field = speckle(x, y, self._spots, self._offset)
            paint = rgb(self._spots.colour)[:, None, None]
            colour = colour + (paint - colour) * (field * np.float32(self._spots.strength))
        self._layer.paint(window, colour, edge * _opacity(reach, ribs, self._density))

    def median(self, fin: MedianFin) -> None:
        """Paint a dorsal, adipose or anal fin."""
        tallest = max(fin.heights)
        curve = self._outline.back if fin.side == "back" else self._outline.belly
        deepest = self._outline.highest if fin.side == "back" else self._outline.lowest
        outer = (deepest + tallest + 1.0) if fin.side == "back" else 1.0
        inner = -1.0 if fin.side == "back" else -(deepest + tallest + 1.0)
        stage = self._layer.stage
        window = stage.part(fin.start - 2.0, fin.end + fin.sweep * tallest + 2.0, inner, outer)
        x, y = stage.x[window], stage.y[window]
        above = (y if fin.side == "back" else -y) - curve(np.clip(x, 0.0, 100.0))
        base = fin.end - fin.start
        t = (x - fin.sweep * np.maximum(above, 0.0) - fin.start) / np.float32(base)
        heights = Curve(np.linspace(0.0, 1.0, len(fin.heights)), np.array(fin.heights))
        height = heights(np.clip(t, 0.0, 1.0))
        if fin.spiny:
            notch = 1.0 - np.abs(np.cos(t * np.float32(np.pi * fin.rays)))
            height = height * (1.0 - 0.26 * notch * smoothstep(fin.spiny + 0.04, fin.spiny, t))
        else:
            height = height * (1.0 + 0.05 * np.cos(t * np.float32(2.0 * np.pi * fin.rays)))
        top = np.clip((height - above) * stage.scale + 0.5, 0.0, 1.0)
        ends = np.clip(np.minimum(t, 1.0 - t) * np.float32(base * stage.scale) + 0.5, 0.0, 1.0)
        edge = top * ends * np.clip(above * stage.scale + 2.5, 0.0, 1.0)
        reach = np.clip(above / np.maximum(height, 0.3), 0.0, 1.0)
        self._finish(
            window,
            fin.colour or self._colour,
            edge,
            reach,
            _rays(t, fin.rays, base * stage.scale),
        )

    def _fan(self, window: Window, along: Field, across: Field, fan: Fan, root: float) -> None:
        """Paint a fan in coordinates along and across its axis."""
        stage = self._layer.stage
        if fan.wave:
            far = np.clip(along / np.float32(fan.length), 0.0, 1.2)
            across = across + fan.wave * far * np.sin(
                along * np.float32(5.5 / fan.length) + np.float32(self._offset)
            )
        far = along / np.float32(fan.length)
        open_ = np.clip(far, 0.0, 1.3) ** np.float32(0.85)
        half = root + (fan.spread - root) * open_
        t = across / half
        size = np.minimum(np.abs(t), 1.0)
        end = 1.0 - fan.fork * (1.0 - size ** np.float32(1.25)) - fan.lean * t
        if fan.rounded:
            end = end * (1.0 - fan.rounded * (1.0 - np.sqrt(1.0 - 0.93 * size * size)))
        tips = smoothstep(1.0, 0.72, size) if fan.fork > 0.15 else 1.0
        end = end * (0.97 + 0.03 * tips)
        ragged = min(0.012, 0.25 / fan.length) * np.cos(t * np.float32(np.pi * fan.rays))
        margin = (end + ragged - far) * np.float32(fan.length * stage.scale) + 0.5
        side = (1.0 - np.abs(t)) * half * stage.scale + 0.5
        edge = np.clip(margin, 0.0, 1.0) * np.clip(side, 0.0, 1.0)
        edge = edge * np.clip(along * stage.scale + 1.0, 0.0, 1.0)
        reach = np.clip(far / np.maximum(end, 0.1), 0.0, 1.0)
        ribs = _rays(t * 0.5, fan.rays, 2.0 * fan.spread * 0.7 * stage.scale)
        self._finish(window, fan.colour or self._colour, edge, reach, ribs)

    def tail(self, fan: Fan) -> None:
        """Paint the tail fin."""
        stage = self._layer.stage
        wide = fan.spread + abs(fan.wave) + 2.0
        window = stage.part(96.0, 101.0 + fan.length * (1.05 + abs(fan.lean)), -wide, wide)
        middle, _ = self._outline.at(99.0)
        root = fan.root or self._outline.root * 0.95
        self._fan(window, stage.x[window] - 98.0, stage.y[window] - middle, fan, root)

    def paired(self, fin: PairedFin) -> None:
        """Paint a pectoral or pelvic fin."""
        stage = self._layer.stage
        middle = self._outline.place(fin.x, fin.y)
        far = fin.fan.length * 1.15 + fin.fan.spread
        window = stage.part(fin.x - far, fin.x + far, middle - far, middle + far)
        right, up = stage.x[window] - fin.x, stage.y[window] - middle
        turn = np.deg2rad(fin.angle)
        cosine, sine = np.float32(np.cos(turn)), np.float32(np.sin(turn))
        root = fin.fan.root or 0.22 * fin.fan.spread
        self._fan(window, right * cosine + up * sine, up * cosine - right * sine, fin.fan, root)
