"""Scales, bony plates and the lateral line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fishembed.demo.fields import Field, bump, noise_table, smoothstep
from fishembed.demo.outline import Surface
from fishembed.demo.traits import Skin


@dataclass(frozen=True)
class Scales:
    """What scales do to the colour below them.

    Attributes
    ----------
    edge
        Dark rims, 0 to 1.
    dome
        Lighter middle of each scale, 0 to 1.
    glitter
        One random value per scale, 0 to 1.
    """

    edge: Field
    dome: Field
    glitter: Field


def _cell_values(a: Field, b: Field) -> Field:
    """Return one random value for each cell of a lattice."""
    table = noise_table("grain")
    return np.asarray(table[a.astype(np.int32) & 511, b.astype(np.int32) & 511])


def scales(body: Surface, skin: Skin, deepest: float, gill: float) -> Scales:
    """Lay overlapping scales over a flank, in rows that follow the outline.

    A scale is the round edge of a lattice cell whose far corner points to the tail; what lies
    beyond the edge is in its shadow. Scales fade where they would be smaller than two pixels, on
    the head and on the belly.
    """
    length = max(skin.scale, 0.6)
    tall = body.v * (0.5 * body.half + 0.5 * deepest) / np.float32(length * 1.04)
    far = (body.x + 0.06 * body.v * body.v * body.half) / np.float32(length)
    a, b = far + tall + 400.0, far - tall + 400.0
    whole_a, whole_b = np.floor(a), np.floor(b)
    p, q = a - whole_a, b - whole_b
    reach = np.sqrt(p * p + q * q)
    visible = np.float32(np.clip((length * body.scale - 1.8) / 2.5, 0.0, 1.0))
    where = smoothstep(gill - 5.0, gill + 2.0, body.x) * smoothstep(-0.98, -0.6, body.v)
    where = where * (1.0 - smoothstep(95.0, 101.0, body.x))
    amount = visible * where * np.float32(1.0 if skin.scale else 0.0)
    beyond = np.clip(1.0 - (reach - 1.0) * 1.6, 0.0, 1.0)
    edge = smoothstep(0.86, 1.0, reach) * beyond * amount
    dome = bump(0.66, 0.36, reach) * amount
    glitter = 0.5 + (_cell_values(whole_a, whole_b) - 0.5) * where
    return Scales(edge, dome, glitter)


def plates(body: Surface) -> Scales:
    """Cover a flank with rows of bony plates, each with a keel and a toothed rear edge."""
    rows = (body.v + 1.0) * 2.0
    tier = np.floor(rows)
    inside = rows - tier
    far = body.x / 4.2 + 0.5 * np.mod(tier, 2.0) - np.abs(inside - 0.5) * 0.7 + 50.0
    whole = np.floor(far)
    p = far - whole
    where = smoothstep(20.0, 27.0, body.x)
    seam = np.maximum(smoothstep(0.8, 1.0, p), smoothstep(0.36, 0.5, np.abs(inside - 0.5)))
    keel = bump(0.5, 0.16, inside) * (1.0 - p * 0.6)
    return Scales(seam * where, keel * where, 0.5 + (_cell_values(whole, tier) - 0.5) * where)


def lateral_line(body: Surface, gill: float, scale_length: float) -> Field:
    """Return the line of pores from the gill cover to the tail: arched over the belly, dotted."""
    along = np.clip((body.x - gill) / np.float32(100.0 - gill), 0.0, 1.0)
    height = 0.34 * (1.0 - along) ** 1.6 + 0.02
    off = np.abs(body.v - height) * body.half * body.scale
    width = np.float32(max(0.7, 0.18 * body.scale))
    dots = 0.6 + 0.4 * np.cos(body.x * np.float32(2.0 * np.pi / max(scale_length, 1.6)))
    ends = smoothstep(gill, gill + 3.0, body.x) * (1.0 - smoothstep(95.0, 101.0, body.x))
    return np.asarray(np.clip(1.4 - off / width, 0.0, 1.0) * dots * ends, dtype=np.float32)
