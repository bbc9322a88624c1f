"""The 31 species that the demo draws, each a table of measures and colours."""

from __future__ import annotations

from fishembed.demo.species.bottom import BOTTOM
from fishembed.demo.species.carps import CARPS
from fishembed.demo.species.oddities import ODDITIES
from fishembed.demo.species.perches import PERCHES
from fishembed.demo.species.swimmers import SWIMMERS
from fishembed.demo.traits import Species

SPECIES: tuple[Species, ...] = tuple(
    sorted(BOTTOM + CARPS + ODDITIES + PERCHES + SWIMMERS, key=lambda species: species.name)
)
"""Every species, by name."""

__all__ = ["SPECIES", "Species"]
