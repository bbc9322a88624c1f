"""One whole fish, painted from back to front: fins, barbels, body, mouth and eye."""

from __future__ import annotations

import math

import numpy as np

from fishembed.demo.catalogue import Fan, MedianFin, Place, Species
from fishembed.demo.geometry import Canvas, Outline, Pose, Side, Window
from fishembed.demo.pixels import Array, blend, bump, noise, rgb, smoothstep
from fishembed.demo.skin import skin_colours, speckle

DARK = rgb("#0d0c0b")


def paint_fish(fish: Species, pose: Pose, place: Place, shape: tuple[int, int]) -> Canvas:
    """Paint one fish for an image of `shape` rows and columns, onto a canvas of its own."""
    outline = Outline(fish.back, fish.belly)
    fans = (*fish.pelvics, *fish.barbels, fish.pectoral)
    lengths = [fan.length for fan in fans] + [abs(h) for fin in fish.fins for h in fin.heights]
    tall = max(outline.highest + max(lengths), outline.lowest + max(lengths), fish.tail.spread)
    ends = min(0.0, *(fan.x - fan.length for fan in fans)) - 3.0, 106.0 + fish.tail.length * 1.2
    canvas = Canvas(pose, shape, ends, tall)
    painter = _FishPainter(fish, place, outline, canvas)
    for fan in (fish.tail, *fans[:-1]):
        painter.fan(fan)
    for fin in fish.fins:
        painter.median_fin(fin)
    painter.body()
    painter.mouth()
    painter.eye()
    painter.fan(fish.pectoral)
    return canvas


class _FishPainter:
    """Paints the parts of one fish onto its canvas."""

    def __init__(self, fish: Species, place: Place, outline: Outline, canvas: Canvas) -> None:
        self.fish, self.palette, self.place = fish, fish.palette, place
        self.outline, self.canvas = outline, canvas

    def _softly(self, inside: Array) -> Array:
        """Turn how far inside an edge places are into cover, with an edge one pixel soft."""
        return np.clip(inside * self.canvas.scale + 0.5, 0.0, 1.0)

    def median_fin(self, fin: MedianFin) -> None:
        """Paint a dorsal, adipose or anal fin."""
        canvas, outline, sign = self.canvas, self.outline, math.copysign(1.0, fin.heights[0])
        heights, base = np.abs(fin.heights), fin.end - fin.start
        tallest = float(heights.max())
        reach = sign * ((outline.highest if sign > 0.0 else outline.lowest) + tallest + 1.0)
        right, ends = fin.end + fin.sweep * tallest + 2.0, sorted((-sign, reach))
        window = canvas.part(fin.start - 2.0, right, ends[0], ends[1])
        x = canvas.x[window]
        above = sign * canvas.y[window] - (outline.back if sign > 0.0 else outline.belly)(x)
        t = (x - fin.sweep * np.maximum(above, 0.0) - fin.start) / base
        stops = np.linspace(0.0, 1.0, len(heights))
        height: Array = np.interp(t, stops, heights).astype(np.float32)
        if fin.spiny:
            notch = 1.0 - np.abs(np.cos(t * (math.pi * fin.rays)))
            height = height * (1.0 - 0.26 * notch * smoothstep(fin.spiny + 0.04, fin.spiny, t))
        edge = self._softly(height - above) * self._softly(np.minimum(t, 1.0 - t) * base)
        edge = edge * np.clip(above * canvas.scale + 2.5, 0.0, 1.0)
        self._membrane(window, fin, edge, above / np.maximum(height, 0.3), t)

    def fan(self, fan: Fan) -> None:
        """Paint a tail, a pectoral or pelvic fin, or a barbel."""
        canvas, turn = self.canvas, math.radians(fan.angle)
        cosine, sine, foot = math.cos(turn), math.sin(turn), self.outline.height(fan.x, fan.y)
        x, y = fan.x + fan.length * 0.5 * cosine, foot + fan.length * 0.5 * sine
        far = fan.length * (0.6 + abs(fan.lean)) + fan.spread
        window = canvas.part(x - far, x + far, y - far, y + far)
        right, up = canvas.x[window] - fan.x, canvas.y[window] - foot
        reach = (right * cosine + up * sine) / fan.length
        across = up * cosine - right * sine - fan.bow * fan.length * 4.0 * reach * (1.0 - reach)
        root = fan.root or 0.22 * fan.spread
        half = root + (fan.spread - root) * np.clip(reach, 0.0, 1.3) ** 0.85
        half = np.maximum(half, 0.55 / canvas.scale)
        t = across / half
        size = np.minimum(np.abs(t), 1.0)
        end = 1.0 - fan.fork * (1.0 - size**1.25) - fan.lean * t
        end = end * (1.0 - fan.rounded * (1.0 - np.sqrt(1.0 - 0.93 * size * size)))
        ragged = min(0.012, 0.25 / fan.length) * np.cos(t * (math.pi * fan.rays))
        edge = self._softly((end + ragged - reach) * fan.length)
        edge = edge * self._softly((1.0 - np.abs(t)) * half)
        edge = edge * np.clip(reach * fan.length * canvas.scale + 1.0, 0.0, 1.0)
        self._membrane(window, fan, edge, reach / np.maximum(end, 0.1), t * 0.5)

    def _membrane(
        self, window: Window, fin: Fan | MedianFin, edge: Array, reach: Array, t: Array
    ) -> None:
        """Colour a fin: darker at the root, rays at whole numbers of `t * fin.rays`.

        Rays vanish where they would be too close; `reach` is 0 at the root and 1 at the margin.
        """
        canvas, fish, offset = self.canvas, self.fish, self.fish.offset
        base = rgb(fin.colour) if fin.colour else self.palette["fins"]
        reach = np.clip(reach, 0.0, 1.0)
        wide = 1.4 * fin.spread if isinstance(fin, Fan) else fin.end - fin.start
        apart = wide * canvas.scale / fin.rays if fin.rays else 0.0
        rays = (0.5 + 0.5 * np.cos(t * (2.0 * math.pi * fin.rays))) ** 3
        rays = rays * min(max((apart - 1.6) / 2.0, 0.0), 1.0)
        colour = blend(base, rgb("#f4f0dc"), reach * 0.18)
        colour = blend(colour, rgb("#15120c"), rays * 0.21)
        x, y = canvas.x[window], canvas.y[window]
        cloud = 0.86 + 0.22 * noise(x * 0.09 + offset, y * 0.09)
        colour = colour * (cloud * (0.8 + 0.2 * reach)) * rgb(self.place.tint)
        for mark in (mark for mark in fish.marks if mark.on_fins):
            colour = blend(colour, rgb(mark.colour), speckle(x, y, mark, offset) * mark.strength)
        density = 0.8 - 0.4 * fish.clear if fin.rays else 1.2
        opacity = np.clip(density * (1.0 - 0.45 * reach) + 0.16 * rays, 0.0, 0.97)
        canvas.paint(window, colour, edge * opacity)

    def body(self) -> None:
        """Paint the body; a clear one shows its backbone and lets the scene through."""
        side, clear = Side(self.canvas, self.outline), self.fish.clear
        colour = skin_colours(side, self.fish, self.place)
        spine = bump(0.08, 0.10, side.v) * smoothstep(20.0, 26.0, side.x)
        hidden = np.maximum(0.7 * spine, smoothstep(40.0, 30.0, side.x + 10.0 * side.v))
        cover = side.cover * (0.25 + 0.75 * smoothstep(103.0, 97.5, side.x))
        cover = cover * (1.0 - clear * (1.0 - hidden) * (1.0 - 0.3 * side.v**6))
        self.canvas.paint(side.window, colour * (1.0 - 0.5 * clear * spine), cover)

    def mouth(self) -> None:
        """Paint the cleft of the mouth between its lips."""
        canvas, fish = self.canvas, self.fish
        y, far = self.outline.height(2.0, fish.mouth_y), fish.mouth + 2.0
        window = canvas.part(-1.5, far + 1.0, y - far, y + far)
        x, width = canvas.x[window], max(0.6, 0.20 * canvas.scale)
        bow = y - fish.mouth_slope * x - 0.012 * x * x
        off = np.abs(canvas.y[window] - bow) * (canvas.scale / width)
        reach = smoothstep(fish.mouth, fish.mouth * 0.7, x) * canvas.cover[window]
        lip = blend(self.palette["flank"], rgb("#f0d8c4"), 0.35)
        canvas.paint(window, lip, smoothstep(3.2, 1.2, off) * reach * 0.3)
        canvas.paint(window, DARK, 0.85 * np.clip(1.25 - off, 0.0, 1.0) * reach)

    def eye(self) -> None:
        """Paint socket, iris, pupil and the lamp's reflection."""
        canvas, x, r = self.canvas, self.fish.eye_x, self.fish.eye
        y = self.outline.height(x, self.fish.eye_y)
        window = canvas.part(x - r * 1.8, x + r * 1.8, y - r * 1.8, y + r * 1.8)
        right, up = canvas.x[window] - x, canvas.y[window] - y
        off = np.hypot(right, up)
        iris = self.palette["iris"] * rgb(self.place.tint) * np.clip(0.85 + 0.35 * up / r, 0.4, 1.3)
        canvas.paint(window, DARK, 0.45 * smoothstep(r * 1.5, r * 0.9, off))
        canvas.paint(window, iris, self._softly(r - off))
        canvas.paint(window, DARK, self._softly(r - off) * smoothstep(r * 0.78, r, off) * 0.7)
        canvas.paint(window, DARK, self._softly(r * 0.58 - off))
        glint = np.hypot(right + 0.26 * r, up - 0.34 * r)
        canvas.paint(window, rgb("#fbfdfd"), 0.95 * self._softly(r * 0.2 - glint))
