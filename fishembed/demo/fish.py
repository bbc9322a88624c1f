"""One whole fish, painted from back to front: fins, barbels, body with its skin, mouth and eye."""

from __future__ import annotations

import math

import numpy as np

from fishembed.demo.catalogue import Fan, Mark, MedianFin, Place, Species
from fishembed.demo.geometry import Canvas, Outline, Pose, Side, Window
from fishembed.demo.pixels import Array, blend, bump, noise, noise_table, rgb, smoothstep

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


def _countershading(side: Side, fish: Species) -> Array:
    """Blend from the dark back over the flank to the pale belly."""
    palette, edge, offset = fish.palette, fish.belly_edge, fish.offset
    cloud = noise(side.x * 0.035 + offset, side.v * 0.7 + offset) - 0.5
    height = side.v + 0.16 * cloud + 0.1 * smoothstep(26.0, 2.0, side.x)
    colour = blend(palette["flank"], palette["back"], smoothstep(0.10, 0.82, height))
    return blend(colour, palette["belly"], smoothstep(edge + 0.29, edge - 0.29, height))


def _bands(side: Side, mark: Mark, offset: float) -> Array:
    """Return upright bars, or stripes along the body, with ragged edges and uneven weight."""
    place, first = side.x + mark.slant * side.y, mark.start
    if mark.kind == "stripes":
        place, first = side.v, mark.bottom
    wobble = noise(side.x * 0.05 + offset, side.v * 1.1 + offset) - 0.5
    phase = (place + mark.ragged * mark.pitch * wobble - first) / mark.pitch
    number = np.floor(phase)
    weight = 0.7 + 0.5 * noise(number * 3.7 + offset, np.full_like(number, offset))
    across = np.abs(phase - number - 0.5) * 2.0
    return smoothstep(mark.width + 0.22, mark.width - 0.22, across) * np.minimum(weight, 1.0)


def speckle(x: Array, y: Array, mark: Mark, offset: float) -> Array:
    """Return one spot of uneven size in every cell of a bent lattice."""
    wave, warp = 1.0 / (mark.pitch * 3.6), mark.pitch * mark.ragged
    bent_x = x + (noise(x * wave, y * wave + offset) - 0.5) * warp
    bent_y = y + (noise(x * wave + 9.0 + offset, y * wave) - 0.5) * warp
    row = bent_y / mark.pitch + (40.0 + offset)
    tier = np.floor(row)
    column = bent_x / mark.pitch + 0.5 * np.mod(tier, 2.0) + (40.0 + offset)
    whole = np.floor(column)
    right, up, large = (_cell_values(whole + shift, tier + shift) for shift in (0.0, 91.0, 17.0))
    off = np.hypot(column - whole - 0.29 - 0.42 * right, row - tier - 0.29 - 0.42 * up)
    uneven = 0.1 * (noise(x * 0.12, y * 0.12 + offset) - 0.5)
    radius = (0.55 + 0.5 * large) * (mark.width * 0.5) + uneven
    return np.clip((radius - off) / 0.09 + 0.5, 0.0, 1.0)


def _cell_values(column: Array, row: Array) -> Array:
    """Return one random value for each cell of a lattice, 0 to 1."""
    return np.asarray(noise_table("grain")[column.astype(int) % 512, row.astype(int) % 512])


def _blotches(side: Side, mark: Mark, offset: float) -> Array:
    """Return cloudy blotches, drawn out along the body."""
    coarse = noise(side.x / (mark.pitch * 1.5) + offset, side.y / mark.pitch)
    fine = noise(side.x / (mark.pitch * 0.4) + offset, side.y / (mark.pitch * 0.35))
    edge = 0.86 - 0.72 * mark.width
    return smoothstep(edge - 0.13, edge + 0.13, coarse * 0.72 + fine * 0.28)


def _eyespots(side: Side, mark: Mark, grow: float) -> Array:
    """Return the single spots of a marking, `grow` times as large."""
    cover = np.zeros_like(side.v)
    for x, height, radius in mark.places:
        wide, soft = radius * grow, 0.12 * radius + 0.4
        off = np.hypot(side.x - x, (side.v - height) * side.half)
        cover = np.maximum(cover, smoothstep(wide + soft, wide - soft, off))
    return cover


def _add_mark(colour: Array, side: Side, mark: Mark, offset: float) -> Array:
    """Paint one marking over a flank; `offset` moves the noise."""
    if mark.kind == "eyespots":
        cover = _eyespots(side, mark, 1.0)
    elif mark.kind == "spots":
        cover = speckle(side.x, side.y, mark, offset)
    else:
        cover = (_blotches if mark.kind == "blotches" else _bands)(side, mark, offset)
    if mark.ring:
        colour = blend(colour, rgb(mark.ring), _eyespots(side, mark, 1.42) * mark.strength)
    lengthwise = side.x / 10.0, mark.start / 10.0, mark.end / 10.0
    for at, low, high in (lengthwise, (side.v, mark.bottom, mark.top)):
        cover = cover * smoothstep(low - 0.16, low + 0.16, at)
        cover = cover * smoothstep(high + 0.16, high - 0.16, at)
    return blend(colour, rgb(mark.colour), cover * mark.strength)


def _scales(side: Side, fish: Species) -> tuple[Array, Array, Array]:
    """Return dark edges, light middles and one random value for each scale, 0 to 1.

    A scale is the round edge of a lattice cell whose far corner points to the tail; rows follow
    the outline. Scales fade where they would be smaller than two pixels, and on head and belly.
    """
    length = max(fish.scale, 0.6)
    tall = side.v * (0.5 * side.half + 0.5 * side.deepest) / (length * 1.04)
    far = (side.x + 0.06 * side.v * side.v * side.half) / length + 400.0
    row, column = np.floor(far + tall), np.floor(far - tall)
    reach = np.hypot(far + tall - row, far - tall - column)
    where = smoothstep(fish.gill - 5.0, fish.gill + 2.0, side.x) * smoothstep(101.0, 95.0, side.x)
    where = where * smoothstep(-0.98, -0.6, side.v)
    amount = where * min(max((length * side.scale - 1.8) / 2.5, 0.0), 1.0 if fish.scale else 0.0)
    edges = np.asarray(smoothstep(0.86, 1.0, reach) * np.minimum(2.6 - reach * 1.6, 1.0) * amount)
    glitter = 0.5 + (_cell_values(row, column) - 0.5) * where
    return edges, bump(0.66, 0.36, reach) * amount, glitter


def _gill_cover(side: Side, gill: float) -> Array:
    """Return how much to brighten and darken: the cover's rim and its shadow."""
    bow = gill - 0.42 * side.half * (side.v + 0.08) ** 2 - side.x
    ends = smoothstep(-0.92, -0.5, side.v) * smoothstep(0.72, 0.42, side.v)
    shadow = smoothstep(-3.2, -0.1, bow) * smoothstep(0.5, -0.1, bow)
    return np.asarray((0.2 * bump(0.9, 1.1, bow) - 0.34 * shadow) * ends)


def _silver(side: Side, glitter: Array, offset: float) -> Array:
    """Return what mirror-like flanks add: bands of reflected sky and water."""
    drift = noise(side.x * 0.022 + offset, side.v * 0.5 + offset) - 0.5
    place = side.v + 0.35 * drift + 0.12 * (glitter - 0.5)
    bright = bump(0.30, 0.42, place) * 0.85 + bump(-0.45, 0.40, place) * 0.5
    shine = (bright * (0.55 + 0.9 * glitter) - bump(-0.05, 0.26, place) * 0.35) * 0.34
    return np.asarray(shine + rgb("#0c0e14") * bump(0.5, 0.45, place))


def _lit(colour: Array, side: Side, fish: Species, place: Place, dome: Array) -> Array:
    """Light a rounded surface: a lamp, an even part, the ground's reflection, a wet streak."""
    steep, (lamp_up, lamp_front) = np.abs(side.v), place.lamp
    front = np.maximum(1.0 - steep**fish.flatness, 0.0) ** (1.0 - 1.0 / fish.flatness)
    up = np.sign(side.v) * steep ** (fish.flatness - 1.0)
    along = -np.clip(side.swell, -1.2, 1.2) * (0.25 + 0.5 * front)
    length = 1.0 / np.sqrt(along * along + up * up + front * front + 1e-6)
    along, up, front = along * length, up * length, front * length
    toward = along * place.lamp_along + up * lamp_up
    lamp = np.maximum(toward + front * lamp_front, 0.0) * (1.0 - place.ambient)
    strength = lamp + place.ambient * (0.8 + 0.2 * up)
    strength = strength * (0.82 + 0.18 * np.minimum(front * 2.4, 1.0))
    lit = colour * (strength * rgb(place.tint) + np.maximum(-up, 0.0) * (0.3 * rgb(place.bounce)))
    rough = 0.035 * (noise(side.x * 0.16 + fish.offset, side.v * 1.7) - 0.5)
    nearest = math.hypot(place.lamp_along, lamp_up, lamp_front + 1.0)
    streak = np.clip((toward + front * (lamp_front + 1.0)) / nearest + rough, 0.0, 1.0) ** 26
    wet = streak * (0.55 + 0.45 * smoothstep(2.0, 10.0, side.x)) * (0.75 + 0.5 * dome)
    return np.clip(lit + wet * (fish.gloss * place.gloss), 0.0, 1.0)


def skin_colours(side: Side, fish: Species, place: Place) -> Array:
    """Return the lit colours of a body, float32 (3, rows, columns) over `side.window`."""
    edges, dome, glitter = _scales(side, fish)
    colour = _countershading(side, fish)
    for number, mark in enumerate(fish.marks):
        colour = _add_mark(colour, side, mark, fish.offset + 7.3 * number)
    colour = colour * (0.95 + 0.10 * noise(side.x * 0.3 + fish.offset, side.y * 0.3))
    dark = blend(fish.palette["back"], rgb("#0e0e0e"), 0.33)
    colour = blend(colour, dark, edges * fish.edges)
    colour = colour * (1.0 + 0.22 * (0.4 + fish.silver) * dome + _gill_cover(side, fish.gill))
    colour = colour + fish.silver * _silver(side, glitter, fish.offset)
    return _lit(colour, side, fish, place, dome)
