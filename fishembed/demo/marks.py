"""Bars, stripes, spots and blotches: where on a flank a marking lies."""

from __future__ import annotations

import numpy as np

from fishembed.demo.fields import Field, noise, noise_table, smoothstep
from fishembed.demo.outline import Surface
from fishembed.demo.traits import Bars, Eyespots, Mark, Mottle, Spots, Stripes


def _band(v: Field, bottom: float, top: float, soft: float = 0.22) -> Field:
    """Return 1 between two heights on the flank, with soft ends."""
    return smoothstep(bottom - soft, bottom + soft, v) * smoothstep(top + soft, top - soft, v)


def bars(body: Surface, mark: Bars, offset: float) -> Field:
    """Return upright bars: waves along the body with ragged edges and uneven weight."""
    pitch = (mark.end - mark.start) / mark.count
    wobble = noise(body.x * 0.05 + offset, body.v * 1.1 + offset) - 0.5
    x = body.x + mark.slant * body.y + mark.ragged * pitch * wobble
    phase = (x - mark.start) / np.float32(pitch)
    middle = np.abs(phase - np.floor(phase) - 0.5) * 2.0
    uneven = 0.7 + 0.5 * noise(np.floor(phase) * 3.7 + offset, np.full_like(x, offset))
    across = smoothstep(mark.width + 0.22, mark.width - 0.22, middle)
    inside = smoothstep(mark.start - 1.0, mark.start + 1.0, x) * smoothstep(
        mark.end + 1.0, mark.end - 1.0, x
    )
    return np.asarray(
        across * inside * np.minimum(uneven, 1.0) * _band(body.v, mark.bottom, mark.top)
    )


def stripes(body: Surface, mark: Stripes, offset: float) -> Field:
    """Return stripes along the body that follow its outline."""
    pitch = (mark.top - mark.bottom) / mark.count
    wobble = noise(body.x * 0.03 + offset, body.v) - 0.5
    phase = (body.v + 0.16 * pitch * wobble - mark.bottom) / np.float32(pitch)
    middle = np.abs(phase - np.floor(phase) - 0.5) * 2.0
    across = smoothstep(0.75, 0.25, middle)
    return (
        across
        * _band(body.v, mark.bottom, mark.top, 0.06)
        * smoothstep(mark.start - 3.0, mark.start + 5.0, body.x)
    )


def speckle(x: Field, y: Field, mark: Spots, offset: float) -> Field:
    """Scatter one spot of uneven size into every cell of a bent lattice."""
    pitch, size = mark.pitch, mark.size
    wave, warp = np.float32(1.0 / (pitch * 3.6)), np.float32(pitch * mark.ragged)
    x, y = (
        x + (noise(x * wave, y * wave + offset) - 0.5) * warp,
        y + (noise(x * wave + 9.0 + offset, y * wave) - 0.5) * warp,
    )
    row = y / np.float32(pitch) + np.float32(40.0 + offset)
    tier = np.floor(row)
    column = x / np.float32(pitch) + 0.5 * np.mod(tier, 2.0) + np.float32(40.0 + offset)
    whole = np.floor(column)
    table = noise_table("grain")
    i, j = whole.astype(np.int32), tier.astype(np.int32)
    right = (table[i & 511, j & 511] - 0.5) * 0.42
    up = (table[(i + 91) & 511, (j + 37) & 511] - 0.5) * 0.42
    large = 0.55 + 0.5 * table[(i + 17) & 511, (j + 53) & 511]
    a, b = column - whole - 0.5 - right, row - tier - 0.5 - up
    off = np.sqrt(a * a + b * b) - 0.1 * (noise(x * 0.12, y * 0.12 + offset) - 0.5)
    radius = large * np.float32(size * 0.5)
    return np.asarray(np.clip((radius - off) / np.float32(0.09) + 0.5, 0.0, 1.0))


def spots(body: Surface, mark: Spots, offset: float) -> Field:
    """Return many spots between two heights."""
    field = speckle(body.x, body.y, mark, offset)
    ahead = smoothstep(mark.start - 2.0, mark.start + 2.0, body.x)
    return field * _band(body.v, mark.bottom, mark.top, 0.12) * ahead


def eyespots(body: Surface, mark: Eyespots, grow: float) -> tuple[Field, Field]:
    """Return single spots and, around them, rings; `grow` scales the radius."""
    inner, outer = np.zeros_like(body.v), np.zeros_like(body.v)
    for x, share, radius in mark.places:
        wide = radius * grow
        right, up = body.x - x, (body.v - share) * body.half
        off = np.sqrt(right * right + up * up)
        soft = 0.12 * wide + 0.4
        np.maximum(inner, smoothstep(wide + soft, wide - soft, off), out=inner)
        np.maximum(outer, smoothstep(wide * 1.42 + soft, wide * 1.42 - soft, off), out=outer)
    return inner, outer


def mottle(body: Surface, mark: Mottle, offset: float) -> Field:
    """Return cloudy blotches, drawn out along the body."""
    coarse = noise(body.x / np.float32(mark.size * mark.stretch) + offset, body.y / mark.size)
    fine = noise(body.x / np.float32(mark.size * 0.4) + offset, body.y / (mark.size * 0.35))
    level = coarse * 0.72 + fine * 0.28
    edge = 0.5 + 0.36 * (1.0 - 2.0 * mark.cover)
    return smoothstep(edge - 0.13, edge + 0.13, level) * _band(body.v, mark.bottom, mark.top)


def cover(body: Surface, mark: Mark, offset: float) -> tuple[Field, Field | None]:
    """Return where a marking of any kind lies and, for eyespots, where their rings lie."""
    if isinstance(mark, Bars):
        return bars(body, mark, offset), None
    if isinstance(mark, Stripes):
        return stripes(body, mark, offset), None
    if isinstance(mark, Spots):
        return spots(body, mark, offset), None
    if isinstance(mark, Eyespots):
        return eyespots(body, mark, 0.85 + 0.03 * (offset % 10.0))
    return mottle(body, mark, offset), None
