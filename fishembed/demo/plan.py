"""How many pictures of which species: a long tail in the training split."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

Split: TypeAlias = Literal["train", "val", "test"]

SPLITS: tuple[Split, ...] = ("train", "val", "test")

COMMON_TO_RARE = (
    "Grass Carp",
    "Goby",
    "Glass Perchlet",
    "Silver Barb",
    "Knifefish",
    "Catfish",
    "Gourami",
    "Tilapia",
    "Perch",
    "Janitor Fish",
    "Tenpounder",
    "Silver Carp",
    "Freshwater Eel",
    "Indian Carp",
    "Long-Snouted Pipefish",
    "Mosquito Fish",
    "Snakehead",
    "Jaguar Gapote",
    "Gold Fish",
    "Black Spotted Barb",
    "Mullet",
    "Pangasius",
    "Fourfinger Threadfin",
    "Indo-Pacific Tarpon",
    "Scat Fish",
    "Climbing Perch",
    "Bangus",
    "Silver Perch",
    "Big Head Carp",
    "Green Spotted Puffer",
    "Mudfish",
)
"""The species by number of pictures; of most pairs that look alike one is common, one rare."""

MOST, FEWEST = 120, 6
"""Training pictures of the commonest and of the rarest species: 20 to 1."""


@dataclass(frozen=True)
class Count:
    """How many pictures of one species each split holds."""

    name: str
    train: int
    val: int
    test: int

    def of(self, split: Split) -> int:
        """Return the number for one split."""
        return {"train": self.train, "val": self.val, "test": self.test}[split]


def long_tail() -> tuple[Count, ...]:
    """Return the counts of the demo, from the commonest species to the rarest.

    Training counts fall geometrically from `MOST` to `FEWEST`. Validation and test counts fall
    much less, so that recall means something for every species: 2 to 8, and 8 to 16.
    """
    counts = []
    for rank, name in enumerate(COMMON_TO_RARE):
        share = rank / (len(COMMON_TO_RARE) - 1)
        train = round(MOST * (FEWEST / MOST) ** share)
        common = (train - FEWEST) / (MOST - FEWEST)
        counts.append(Count(name, train, round(2 + 6 * common), round(8 + 8 * common)))
    return tuple(counts)
