"""How light falls on a body: shading, sheen and wet highlights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fishembed.demo.fields import Field, Picture, bump, noise, smoothstep
from fishembed.demo.outline import Outline, Surface


@dataclass(frozen=True)
class Light:
    """The light of a scene.

    Attributes
    ----------
    along, up, front
        Direction towards the lamp: to the tail, to the back, to the camera.
    ambient
        Share of the light that comes from everywhere.
    tint
        Colour of the light.
    bounce
        Colour of the light from below.
    gloss
        Strength of highlights: low under water, high on a wet deck.
    """

    along: float
    up: float
    front: float
    ambient: float
    tint: tuple[float, float, float]
    bounce: tuple[float, float, float]
    gloss: float


def _triple(values: tuple[float, float, float]) -> Picture:
    return np.array(values, dtype=np.float32)[:, None, None]


def normals(body: Surface, outline: Outline, flatness: float) -> tuple[Field, Field, Field]:
    """Return the direction a body's surface faces: to the tail, to the back, to the camera."""
    steep = np.abs(body.v)
    power = np.float32(flatness)
    front = np.maximum(1.0 - steep**power, 0.0) ** ((power - 1.0) / power)
    up = np.sign(body.v) * steep ** (power - 1.0)
    swell = (outline.back_slope(body.x) + outline.belly_slope(body.x)) * 0.5
    along = -np.clip(swell, -1.2, 1.2) * (0.25 + 0.5 * front)
    length = 1.0 / np.sqrt(along * along + up * up + front * front + 1e-6)
    return along * length, up * length, front * length


def shade(colour: Picture, facing: tuple[Field, Field, Field], light: Light) -> Picture:
    """Light a coloured surface: a lamp, an even part, and what the ground throws back."""
    along, up, front = facing
    lamp = np.clip(along * light.along + up * light.up + front * light.front, 0.0, None)
    even = light.ambient * (0.8 + 0.2 * up)
    below = np.clip(-up, 0.0, 1.0) * 0.3
    edge = 0.82 + 0.18 * np.clip(front * 2.4, 0.0, 1.0)
    strength = (lamp * (1.0 - light.ambient) + even) * edge
    return np.asarray(
        colour * (strength * _triple(light.tint) + below * _triple(light.bounce)),
        dtype=np.float32,
    )


def silvering(body: Surface, glitter: Field, share: float, offset: float) -> Picture:
    """Return what mirror-like flanks add: bands of reflected sky and water, faintly coloured.

    `glitter` is one random value per scale, 0 to 1; `offset` moves the noise.
    """
    drift = noise(body.x * 0.022 + offset, body.v * 0.5 + offset) - 0.5
    place = body.v + 0.35 * drift + 0.12 * (glitter - 0.5)
    bright = bump(0.30, 0.42, place) * 0.85 + bump(-0.45, 0.40, place) * 0.5
    dark = bump(-0.05, 0.26, place) * 0.35
    iris = np.stack(
        [
            0.055 * bump(-0.15, 0.5, place),
            0.05 * bump(0.42, 0.35, place),
            0.075 * bump(0.62, 0.35, place),
        ]
    )
    sparkle = np.float32(0.55) + np.float32(0.9) * glitter
    return np.asarray(share * ((bright * sparkle - dark) * 0.34 + iris), dtype=np.float32)


def highlight(
    body: Surface, facing: tuple[Field, Field, Field], light: Light, gloss: float, offset: float
) -> Field:
    """Return the wet streak along the upper flank, broken by small unevenness."""
    along, up, front = facing
    rough = noise(body.x * 0.16 + offset, body.v * 1.7) - 0.5
    toward = along * light.along + up * light.up + front * (light.front + 1.0)
    toward = toward / np.float32(np.hypot(np.hypot(light.along, light.up), light.front + 1.0))
    peak = np.clip(toward + 0.035 * rough, 0.0, 1.0) ** 26
    head = 0.55 + 0.45 * smoothstep(2.0, 10.0, body.x)
    return np.asarray(peak * head * np.float32(gloss * light.gloss), dtype=np.float32)
