from __future__ import annotations

import pytest

from fishembed.demo.catalogue import COMMON_TO_RARE, SPECIES, Species
from fishembed.demo.geometry import STATIONS
from fishembed.demo.pixels import rgb


def test_there_are_31_species_each_with_a_name_of_its_own() -> None:
    assert len({species.name for species in SPECIES}) == 31
    assert [species.name for species in SPECIES] == sorted(species.name for species in SPECIES)
    assert sorted(COMMON_TO_RARE) == [species.name for species in SPECIES]


def test_of_the_pairs_that_look_alike_one_is_common_and_one_rare() -> None:
    rank = {name: number for number, name in enumerate(COMMON_TO_RARE)}
    for common, rare in (
        ("Goby", "Mudfish"),
        ("Tenpounder", "Bangus"),
        ("Silver Carp", "Big Head Carp"),
    ):
        assert rank[rare] - rank[common] >= 15


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_the_table_is_filled_in(species: Species) -> None:
    assert len(species.back) == len(species.belly) == len(STATIONS)
    assert species.caption
    assert species.palettes
    for palette in species.palettes:
        assert palette["caption"]
        assert palette["weight"] > 0
        for part in ("back", "flank", "belly", "fins", "iris"):
            assert rgb(palette[part]).shape == (3, 1, 1)
    for fin in species.fins:
        assert 0 <= fin.start < fin.end <= 100
        assert min(fin.heights) > 0 or max(fin.heights) < 0
    for mark in species.marks:
        assert mark.kind in ("bars", "stripes", "spots", "eyespots", "blotches")
        assert bool(mark.places) == (mark.kind == "eyespots")
        assert mark.pitch > 0 or mark.places
