"""The 31 species that the demo draws, and the places and light of its images.

Both are read from `species.json` and `places.json`.

Lengths are in percent of the standard length (snout to the root of the tail), as in the
descriptions of ichthyologists: x runs from the snout (0) to the root of the tail (100). Heights
on the flank run from -1 (belly line) to 1 (back line). Colours are written "#rrggbb"; a fin
without one has that of the palette's fins.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from importlib.resources import files
from operator import itemgetter
from typing import Any, Literal, TypeAlias

Kind: TypeAlias = Literal["water", "deck", "paper"]


@dataclass(frozen=True)
class MedianFin:
    """A dorsal, adipose or (with negative heights) anal fin, which stands on the outline.

    Rays lean towards the tail by `sweep` per unit of height; `spiny` is the share of the base,
    from the front, that is held by spines with notches between.
    """

    start: float
    end: float
    heights: tuple[float, ...]
    sweep: float = 0.45
    spiny: float = 0.0
    rays: int = 14
    colour: str = ""


@dataclass(frozen=True)
class Fan:
    """A tail, a paired fin or, with no rays, a barbel: what spreads from x and flank height y.

    `angle` is in degrees, 0 towards the tail, negative downwards; `spread` and `root` are half
    the width at tip and root. `fork` and `rounded` shape the margin, `lean` makes one lobe longer,
    `bow` bends it.
    """

    x: float
    y: float
    angle: float
    length: float
    spread: float
    root: float = 0.0
    fork: float = 0.0
    rounded: float = 0.0
    lean: float = 0.0
    bow: float = 0.0
    rays: int = 16
    colour: str = ""


@dataclass(frozen=True)
class Mark:
    """A marking: "bars", "stripes", "spots", "eyespots" or "blotches".

    It repeats every `pitch` and covers about `width` of it, from x = `start` to `end` and from
    height `bottom` to `top`. Eyespots stand at `places` (x, height, radius), within a `ring`.
    """

    kind: str
    colour: str
    strength: float
    pitch: float = 0.0
    width: float = 0.5
    start: float = -9.0
    end: float = 109.0
    bottom: float = -1.2
    top: float = 1.2
    ragged: float = 0.0
    slant: float = 0.0
    on_fins: bool = False
    ring: str = ""
    places: tuple[tuple[float, float, float], ...] = ()


@dataclass(frozen=True)
class Species:
    """One species of fish.

    `caption` names what sets it apart, `size` its usual length as a share of the image's
    width, `bendy` how strongly it bends. `back` and `belly` are heights of the outline at
    `geometry.STATIONS`; `flatness` is 2 for a body as round as a cigar, more for a flat one. On
    the head lie the eye (place and radius), the mouth (height, length, slope) and the end of the
    gill cover. The skin has scales of length `scale` (0: none) with dark `edges`, and a belly that
    begins at `belly_edge`; `silver`, `gloss` and `clear`: mirror-like, wet, transparent. One of
    the `palettes` is chosen by `weight`; each has its own `caption`. An individual is a `Species`
    of its own with varied measures, a `palette` of colours as arrays, an `offset` for its noise.
    """

    name: str
    caption: str
    back: tuple[float, ...]
    belly: tuple[float, ...]
    flatness: float
    eye_x: float
    eye_y: float
    eye: float
    mouth_y: float
    mouth: float
    mouth_slope: float
    gill: float
    scale: float
    silver: float
    gloss: float
    palettes: tuple[dict[str, Any], ...]
    tail: Fan
    pectoral: Fan
    fins: tuple[MedianFin, ...]
    pelvics: tuple[Fan, ...] = ()
    barbels: tuple[Fan, ...] = ()
    marks: tuple[Mark, ...] = ()
    edges: float = 0.0
    clear: float = 0.0
    belly_edge: float = -0.5
    size: float = 0.58
    bendy: float = 1.0
    palette: dict[str, Any] = field(default_factory=dict)
    offset: float = 0.0


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


_RECORDS: dict[str, Any] = {"species": Species, "palettes": dict, "fins": MedianFin}
_RECORDS |= {"places": Place, "marks": Mark}
_RECORDS |= dict.fromkeys(("tail", "pectoral", "pelvics", "barbels"), Fan)


def _built(key: str, value: Any) -> Any:
    """Return the dataclasses and tuples of a JSON value, by its key."""
    if isinstance(value, list):
        return tuple(_built(key, one) for one in value)
    if isinstance(value, dict):
        return _RECORDS[key](**{name: _built(name, one) for name, one in value.items()})
    return value


_SPECIES_TABLE, _PLACE_TABLE = (
    json.loads(files(__package__).joinpath(name).read_text("utf-8"))
    for name in ("species.json", "places.json")
)

COMMON_TO_RARE: tuple[str, ...] = tuple(row["name"] for row in _SPECIES_TABLE)
"""Names by number of images; of most similar pairs one species is common, one rare."""

SPECIES: tuple[Species, ...] = _built("species", sorted(_SPECIES_TABLE, key=itemgetter("name")))
"""Every species, by name."""

PLACES: tuple[Place, ...] = _built("places", _PLACE_TABLE)
"""Every place."""
