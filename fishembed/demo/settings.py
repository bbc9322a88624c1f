"""The places a fish is seen in: waters, decks and papers, as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["water", "deck", "paper"]

KINDS: dict[Kind, float] = {"water": 0.56, "deck": 0.27, "paper": 0.17}
"""What share of the pictures shows each kind of place."""


@dataclass(frozen=True)
class Water:
    """Open water or the bottom of it; `murk` is how fast things fade, `sun` how light falls in."""

    words: str
    surface: str
    middle: str
    deep: str
    floor: str = ""
    stones: float = 0.0
    weed: str = ""
    blades: int = 0
    murk: float = 0.12
    sun: float = 0.6
    rocks: bool = False
    kind: Literal["water"] = "water"


@dataclass(frozen=True)
class Deck:
    """A boat's deck or a board: what it is made of and how wet it is."""

    words: str
    material: Literal["planks", "steel", "board", "crate"]
    light: str
    dark: str
    wet: float = 0.5
    kind: Literal["deck"] = "deck"


@dataclass(frozen=True)
class Paper:
    """A hand-coloured plate: the paper, the ink, and a wash of colour below the fish."""

    words: str
    sheet: str
    ink: str
    wash: str = ""
    kind: Literal["paper"] = "paper"


Setting: TypeAlias = Water | Deck | Paper

SETTINGS: tuple[Setting, ...] = (
    Water(
        "in clear blue water over sand",
        "#a9dfe4",
        "#4aa3c0",
        "#1d5d85",
        floor="#d9c79c",
        murk=0.10,
        sun=0.9,
    ),
    Water(
        "in turquoise water near rocks",
        "#a9d6cb",
        "#468f8c",
        "#1b4c55",
        floor="#b9b08a",
        stones=0.6,
        murk=0.14,
        sun=0.8,
        rocks=True,
    ),
    Water(
        "in green pond water among weed",
        "#b3b884",
        "#6a7b4c",
        "#283822",
        floor="#5c5534",
        stones=0.2,
        weed="#54742e",
        blades=13,
        murk=0.20,
        sun=0.55,
    ),
    Water(
        "in a stream over pebbles",
        "#c8d6b4",
        "#7fa08c",
        "#36564c",
        floor="#9a8c6e",
        stones=1.0,
        weed="#6d8440",
        blades=4,
        murk=0.12,
        sun=0.75,
    ),
    Water("in murky brown water", "#b79c68", "#7d653c", "#3b2d19", murk=0.34, sun=0.35),
    Water("in open blue water", "#86c3dc", "#2f7cab", "#0e3556", murk=0.16, sun=0.8),
    Water(
        "in an aquarium with water plants",
        "#8fb3a0",
        "#3e6b5e",
        "#142a2a",
        floor="#7a6a4c",
        stones=0.7,
        weed="#4c8a38",
        blades=18,
        murk=0.08,
        sun=0.45,
        rocks=True,
    ),
    Deck("on wet wooden planks", "planks", "#8a6844", "#4d3622", wet=0.75),
    Deck("on weathered grey planks", "planks", "#a39a8a", "#6a6256", wet=0.25),
    Deck("on a steel deck", "steel", "#8f979b", "#555c62", wet=0.6),
    Deck("on a white measuring board", "board", "#e3e2da", "#b9b9b2", wet=0.4),
    Deck("in a blue plastic crate", "crate", "#3f6f9f", "#22456c", wet=0.6),
    Paper("on cream paper", "#ecdfc0", "#3a2c1d", wash="#b9c4a4"),
    Paper("on grey-green paper", "#cfd2bf", "#2d3029", wash="#a3b3a6"),
    Paper("on yellowed paper", "#dfc795", "#3d2a17"),
)
"""Every place; within a kind all are equally likely."""
