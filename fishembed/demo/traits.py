"""The words a species is described in: frozen dataclasses that the parameter tables are made of.

Lengths are in percent of the standard length (snout to the root of the tail), as in the
descriptions of ichthyologists; x runs from the snout (0) to the root of the tail (100), y upwards
from the axis of the body. Colours are written "#rrggbb".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

STATIONS = (0, 3, 8, 15, 25, 38, 52, 66, 80, 92, 100)
"""Where along the axis a `Profile` gives heights."""


@dataclass(frozen=True)
class Profile:
    """The outline of a body seen from the side.

    Attributes
    ----------
    back, belly
        Height of the outline above, and depth of it below the axis at each of `STATIONS`.
    flatness
        2 for a body as round as a cigar; higher for one pressed flat from the sides.
    """

    back: tuple[float, ...]
    belly: tuple[float, ...]
    flatness: float = 2.6


@dataclass(frozen=True)
class MedianFin:
    """A dorsal, adipose or anal fin: a strip that stands on the outline.

    Attributes
    ----------
    start, end
        Its base along the axis.
    heights
        Its height at evenly spaced points of the base.
    side
        "back" or "belly".
    sweep
        How far its rays lean towards the tail, per unit of height.
    spiny
        Share of the base, from the front, that is held by spines with notches between.
    rays
        Number of rays drawn.
    colour
        "#rrggbb", or "" for the colour of fins of the palette.
    """

    start: float
    end: float
    heights: tuple[float, ...]
    side: Literal["back", "belly"] = "back"
    sweep: float = 0.45
    spiny: float = 0.0
    rays: int = 14
    colour: str = ""


@dataclass(frozen=True)
class Fan:
    """A tail or paired fin: rays that spread from a root.

    Attributes
    ----------
    length, spread
        From root to tip, and half the width at the tip.
    fork
        Share of the length by which the middle rays are shorter than the outer ones;
        negative for a pointed fin.
    rounded
        0 for corners, 1 for a margin like a half circle.
    root
        Half the width at the root; 0 takes that of the body (tails only).
    lean
        Difference in length between lower and upper lobe.
    wave
        How much the fin hangs in folds.
    rays
        Number of rays drawn.
    colour
        "#rrggbb", or "" for the colour of fins of the palette.
    """

    length: float
    spread: float
    fork: float = 0.0
    rounded: float = 0.0
    root: float = 0.0
    lean: float = 0.0
    wave: float = 0.0
    rays: int = 16
    colour: str = ""


@dataclass(frozen=True)
class PairedFin:
    """A pectoral or pelvic fin: a fan, its place and the way it points.

    `y` counts from the middle of the body as a share of half its depth (-1 is the belly line);
    `angle` is in degrees, 0 towards the tail, negative downwards.
    """

    x: float
    y: float
    angle: float
    fan: Fan


@dataclass(frozen=True)
class Barbel:
    """A whisker or free fin ray from (x, y) to an end point, bent by `bend`; y as in PairedFin."""

    x: float
    y: float
    dx: float
    dy: float
    bend: float = 0.0
    thickness: float = 0.6
    colour: str = ""


@dataclass(frozen=True)
class Head:
    """Eye, mouth and gill cover.

    Attributes
    ----------
    eye_x, eye_y, eye
        Place of the eye (y as a share of half the depth) and its radius.
    mouth_y, mouth, mouth_slope
        Height of the mouth at the snout (as a share of the depth at station 3), length of the
        cleft and its slope (positive: rises towards the snout).
    gill
        Where the gill cover ends.
    lips
        How thick the lips are, 0 to 1.
    """

    eye_x: float
    eye_y: float
    eye: float
    mouth_y: float = -0.1
    mouth: float = 4.0
    mouth_slope: float = 0.35
    gill: float = 22.0
    lips: float = 0.3


@dataclass(frozen=True)
class Skin:
    """What the surface is like.

    Attributes
    ----------
    scale
        Length of a scale; 0 for naked skin.
    edges
        How dark the edges of scales are, 0 to 1.
    silver
        How mirror-like the flanks are, 0 to 1.
    gloss
        How wet the highlight is, 0 to 1.
    lateral_line
        How visible it is, 0 to 1.
    clear
        How much light passes through the body, 0 to 1.
    plates
        Bony plates instead of scales.
    belly
        Height at which the flank turns into the belly, -1 to 1.
    """

    scale: float = 2.4
    edges: float = 0.4
    silver: float = 0.3
    gloss: float = 0.4
    lateral_line: float = 0.35
    clear: float = 0.0
    plates: bool = False
    belly: float = -0.5


@dataclass(frozen=True)
class Palette:
    """Colours of back, flank, belly, fins and iris, and the share of fish that wear them."""

    back: str
    flank: str
    belly: str
    fins: str
    iris: str = "#b9a255"
    weight: float = 1.0


@dataclass(frozen=True)
class Bars:
    """Upright bars from `start` to `end`; `top`, `bottom`: where they fade, -1 belly to 1 back."""

    count: int
    start: float = 25.0
    end: float = 95.0
    width: float = 0.45
    top: float = 1.2
    bottom: float = -0.6
    colour: str = "#20221c"
    strength: float = 0.6
    ragged: float = 0.25
    slant: float = 0.0


@dataclass(frozen=True)
class Stripes:
    """Stripes along the body between two heights (-1 belly to 1 back)."""

    count: int
    top: float = 0.8
    bottom: float = -0.2
    start: float = 18.0
    colour: str = "#3a4034"
    strength: float = 0.4


@dataclass(frozen=True)
class Spots:
    """Many spots, one to a cell of `pitch`; `size` is their share of the cell.

    `ragged` bends the lattice and the spots with it.
    """

    pitch: float
    size: float = 0.55
    top: float = 1.2
    bottom: float = -1.2
    start: float = 0.0
    colour: str = "#1b1a16"
    strength: float = 0.8
    ragged: float = 0.6
    on_fins: bool = False


@dataclass(frozen=True)
class Eyespots:
    """Single spots at given places (x, y as a share of half the depth, radius)."""

    places: tuple[tuple[float, float, float], ...]
    colour: str = "#15171a"
    ring: str = ""
    strength: float = 0.85


@dataclass(frozen=True)
class Mottle:
    """Cloudy blotches: noise of wavelength `size` above a threshold that leaves `cover`."""

    size: float = 12.0
    cover: float = 0.4
    top: float = 1.3
    bottom: float = -0.7
    colour: str = "#2a261c"
    strength: float = 0.5
    stretch: float = 1.5


Mark: TypeAlias = Bars | Stripes | Spots | Eyespots | Mottle


@dataclass(frozen=True)
class Species:
    """One kind of fish.

    Attributes
    ----------
    name
        English name, which is also the name of its folder.
    size
        Usual length in the picture, as a share of the picture's width.
    bendy
        How strongly the body bends, 1 for a usual fish.
    seen
        What a caption says about its shape, in few words.
    """

    name: str
    profile: Profile
    head: Head
    skin: Skin
    palettes: tuple[Palette, ...]
    tail: Fan
    fins: tuple[MedianFin, ...]
    pectoral: PairedFin
    pelvic: PairedFin | None = None
    marks: tuple[Mark, ...] = ()
    barbels: tuple[Barbel, ...] = ()
    size: float = 0.58
    bendy: float = 1.0
    seen: str = ""


@dataclass(frozen=True)
class Individual:
    """One fish.

    Attributes
    ----------
    form
        The measures of its species, varied.
    palette
        Its colours.
    offset
        Moves all noise, so that no two fish have the same spots and clouds.
    """

    form: Species
    palette: Palette
    offset: float
