"""The body of a fish: its colours, what lies on them, and the light over all."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fishembed.demo import light as lighting
from fishembed.demo import marks, scales
from fishembed.demo.colour import Colour, mixed, rgb
from fishembed.demo.fields import Field, Picture, bump, noise, smoothstep
from fishembed.demo.light import Light
from fishembed.demo.outline import Outline, Surface
from fishembed.demo.traits import Eyespots, Head, Individual, Mark, Palette, Skin


def _laid_over(colour: Picture, paint: Colour, cover: Field) -> Picture:
    """Mix one colour into a coloured field."""
    return np.asarray(colour + (paint[:, None, None] - colour) * cover, dtype=np.float32)


def countershade(body: Surface, palette: Palette, turn: float, offset: float) -> Picture:
    """Blend from the dark back over the flank to the pale belly, which begins at `turn`."""
    cloud = noise(body.x * 0.035 + offset, body.v * 0.7 + offset) - 0.5
    height = body.v + 0.16 * cloud + 0.1 * smoothstep(26.0, 2.0, body.x)
    flank, back, belly = rgb(palette.flank), rgb(palette.back), rgb(palette.belly)
    colour = np.broadcast_to(flank[:, None, None], (3, *body.v.shape)).astype(np.float32)
    colour = _laid_over(colour, back, smoothstep(0.10, 0.82, height))
    return _laid_over(colour, belly, smoothstep(turn + 0.29, turn - 0.29, height))


def add_marks(colour: Picture, body: Surface, drawn: Sequence[Mark], offset: float) -> Picture:
    """Paint every marking of a species over its ground colour."""
    for number, mark in enumerate(drawn):
        where, ring = marks.cover(body, mark, offset + 7.3 * number)
        if ring is not None and isinstance(mark, Eyespots) and mark.ring:
            colour = _laid_over(colour, rgb(mark.ring), ring * np.float32(mark.strength))
        colour = _laid_over(colour, rgb(mark.colour), where * np.float32(mark.strength))
    return colour


def gill_cover(body: Surface, head: Head) -> tuple[Field, Field]:
    """Return the shadow behind the gill cover and the lighter rim in front of it."""
    bow = head.gill - 0.42 * body.half * (body.v + 0.08) ** 2 - body.x
    ends = smoothstep(-0.92, -0.5, body.v) * smoothstep(0.72, 0.42, body.v)
    shadow = smoothstep(-3.2, -0.1, bow) * smoothstep(0.5, -0.1, bow) * ends
    rim = bump(0.9, 1.1, bow) * ends
    cheek = head.gill * 0.72 - 0.3 * body.half * (body.v + 0.2) ** 2 - body.x
    crease = bump(0.0, 0.8, cheek) * ends * 0.3
    return shadow + crease, rim


def _skin_relief(body: Surface, skin: Skin, deepest: float, gill: float) -> scales.Scales:
    if skin.plates:
        return scales.plates(body)
    return scales.scales(body, skin, deepest, gill)


def flesh(body: Surface, outline: Outline, fish: Individual, light: Light) -> Picture:
    """Return the lit colours of a body, float32 (3, rows, columns).

    Parameters
    ----------
    body, outline
        The surface and the outline it belongs to.
    fish
        What the individual is like.
    light
        The light of the scene.
    """
    form, palette, offset = fish.form, fish.palette, fish.offset
    skin, head = form.skin, form.head
    deepest = (outline.highest + outline.lowest) / 2.0
    relief = _skin_relief(body, skin, deepest, head.gill)
    colour = add_marks(countershade(body, palette, skin.belly, offset), body, form.marks, offset)
    fine = noise(body.x * 0.3 + offset, body.y * 0.3) - 0.5
    colour = colour * (1.0 + 0.10 * fine)
    colour = _laid_over(colour, rgb(mixed(palette.back, "#0c0d0c", 0.35)), relief.edge * skin.edges)
    colour = colour * (1.0 + 0.22 * (0.4 + skin.silver) * relief.dome)
    shadow, rim = gill_cover(body, head)
    colour = colour * (1.0 - 0.34 * shadow) + 0.07 * rim
    if skin.lateral_line:
        line = scales.lateral_line(body, head.gill, skin.scale) * np.float32(skin.lateral_line)
        colour = _laid_over(colour, rgb(mixed(palette.back, "#101010", 0.3)), line * 0.7)
    if skin.silver:
        colour = colour + lighting.silvering(body, relief.glitter, skin.silver, offset)
    facing = lighting.normals(body, outline, form.profile.flatness)
    lit = lighting.shade(colour, facing, light)
    wet = lighting.highlight(body, facing, light, skin.gloss, offset)
    return np.clip(lit + wet * (0.75 + 0.5 * relief.dome), 0.0, 1.0)
