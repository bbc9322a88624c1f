from __future__ import annotations

import numpy as np

from fishembed.demo.scenes import choose_individual, choose_pose
from fishembed.demo.species import SPECIES


def test_two_fish_of_one_species_differ() -> None:
    rng = np.random.default_rng(0)
    first, second = (choose_individual(SPECIES[0], rng) for _ in range(2))
    assert first.name == second.name
    assert first.back != second.back
    assert first.belly != second.belly
    assert (first.palette["flank"] != second.palette["flank"]).any()


def test_the_same_generator_gives_the_same_fish() -> None:
    first, second = (choose_individual(SPECIES[0], np.random.default_rng(3)) for _ in range(2))
    assert first.offset == second.offset
    assert (first.back, first.fins, first.marks) == (second.back, second.fins, second.marks)


def test_an_individual_stays_near_its_species() -> None:
    rng = np.random.default_rng(0)
    for species in SPECIES:
        fish = choose_individual(species, rng)
        np.testing.assert_allclose(fish.back, species.back, rtol=0.35)
        assert fish.palette["caption"] in [palette["caption"] for palette in species.palettes]
        assert [mark.kind for mark in fish.marks] == [mark.kind for mark in species.marks]


def test_fish_lie_level_on_paper_and_anyhow_on_a_deck() -> None:
    rng = np.random.default_rng(0)
    paper, deck = (
        [abs(choose_pose(SPECIES[0], kind, rng).angle) for _ in range(100)]
        for kind in ("paper", "deck")
    )
    assert max(paper) < 5
    assert np.mean(deck) > 3 * np.mean(paper)
