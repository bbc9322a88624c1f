"""The side of a fish: countershading, markings, scales, gill cover, and the light over all."""

from __future__ import annotations

import math

import numpy as np

from fishembed.demo.catalogue import Mark, Place, Species
from fishembed.demo.geometry import Side
from fishembed.demo.pixels import Array, blend, bump, noise, noise_table, rgb, smoothstep


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
