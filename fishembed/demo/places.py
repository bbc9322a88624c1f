"""The places a fish is seen in and the light that falls there, read from places.json."""

from __future__ import annotations

import json
from dataclasses import dataclass
from importlib.resources import files
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["water", "deck", "paper"]


@dataclass(frozen=True)
class Place:
    """Water, a deck or a sheet of paper.

    `weight` is its share of the images, `caption` its part of a caption. `pale`, `middle` and
    `dark` colour water from the surface down, a deck's highlights and gaps, paper and ink. Water
    has a `floor` (colour), `stones` on it (share), `blades` of `weed` (number, colour), `murk`
    before the fish, `sun` from above; a deck its `material` and how `wet` it is; paper the colour
    of the `wash` below the fish. A lamp stands towards the fish's back and the camera (`lamp`) and
    its tail (`lamp_along`); `ambient` is the share of light from everywhere, `tint` its colour,
    `bounce` what the ground throws back, `gloss` the strength of highlights.
    """

    kind: Kind
    weight: float
    caption: str
    pale: str
    dark: str
    lamp: tuple[float, float]
    ambient: float
    gloss: float
    tint: str
    bounce: str
    middle: str = ""
    floor: str = ""
    stones: float = 0.0
    weed: str = ""
    blades: int = 0
    murk: float = 0.0
    sun: float = 0.0
    material: str = ""
    wet: float = 0.0
    wash: str = ""
    lamp_along: float = 0.0


_TABLE = json.loads(files(__package__).joinpath("places.json").read_text("utf-8"))

PLACES: tuple[Place, ...] = tuple(Place(**{**row, "lamp": tuple(row["lamp"])}) for row in _TABLE)
"""Every place."""
