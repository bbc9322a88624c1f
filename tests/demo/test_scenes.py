from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from fishembed import demo
from fishembed.demo import SPECIES, caption, choose_scene, draw_fish, paint
from fishembed.demo.catalogue import PLACES
from fishembed.demo.geometry import Canvas, Pose
from fishembed.demo.scenes import _lay_down, choose_individual, choose_pose

KINDS = ("water", "deck", "paper")


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_every_species_can_be_drawn(species: demo.Species) -> None:
    for number, kind in enumerate(KINDS):
        image = draw_fish(species, np.random.default_rng(number), kind=kind)
        assert (image.mode, image.size) == ("RGB", (320, 240))
        assert np.asarray(image).std() > 8.0


def test_the_same_generator_gives_the_same_image() -> None:
    first, again, other = (
        np.asarray(draw_fish(SPECIES[3], np.random.default_rng(seed))) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.5


def test_a_scene_is_painted_the_same_whatever_was_painted_before() -> None:
    scene = choose_scene(SPECIES[8], np.random.default_rng(4))
    first = np.asarray(paint(scene))
    draw_fish(SPECIES[9], np.random.default_rng(5))
    np.testing.assert_array_equal(first, np.asarray(paint(scene)))


@pytest.mark.parametrize("size", [(64, 48), (320, 240), (640, 480), (200, 300)])
def test_any_size_can_be_drawn(size: tuple[int, int]) -> None:
    for kind in KINDS:
        assert draw_fish(SPECIES[0], np.random.default_rng(0), kind=kind, size=size).size == size


def test_the_fish_is_in_the_image() -> None:
    rng = np.random.default_rng(0)
    for species in SPECIES:
        pose = choose_scene(species, rng).pose
        assert 0.3 < pose.x < 0.7
        assert 0.3 < pose.y < 0.7
        assert 0.2 < pose.length < 0.85


def test_every_kind_of_place_is_used() -> None:
    rng = np.random.default_rng(0)
    scenes = [choose_scene(SPECIES[0], rng) for _ in range(400)]
    assert {scene.place for scene in scenes} == set(PLACES)
    share = np.mean([scene.place.kind == "water" for scene in scenes])
    assert 0.45 < share < 0.67


def test_captions_tell_species_place_and_side() -> None:
    rng = np.random.default_rng(0)
    for species in SPECIES:
        scene = choose_scene(species, rng)
        words = caption(scene)
        assert words.startswith(("a ", "an "))
        assert species.name.lower() in words
        assert species.caption in words
        assert scene.place.caption in words
        assert ("left" in words) == scene.pose.faces_left


def test_a_gold_fish_is_named_by_its_colours() -> None:
    species = next(one for one in SPECIES if one.name == "Gold Fish")
    rng = np.random.default_rng(0)
    assert any("orange" in caption(choose_scene(species, rng)) for _ in range(20))


def test_a_shadow_falls_beside_the_fish_and_nowhere_else() -> None:
    place = next(place for place in PLACES if place.kind == "deck")
    pose = Pose(x=0.7, y=0.5, length=0.5, angle=0.0, faces_left=True)
    fish = Canvas(pose, (240, 320), (0.0, 100.0), 15.0)
    fish.cover[:] = 1.0
    image = np.ones((3, 240, 320), dtype=np.float32)
    _lay_down(image, fish, place, np.random.default_rng(0))
    rows, columns = fish.window
    assert image[:, rows.stop + 2, 260].max() < 0.8
    np.testing.assert_allclose(image[:, :, : columns.start - 30], 1.0, atol=0.01)
    np.testing.assert_allclose(image[:, : rows.start - 30], 1.0, atol=0.01)


@pytest.mark.parametrize("along", [-0.5, 0.5])
def test_a_shadow_at_the_edge_does_not_come_back_on_the_other_side(along: float) -> None:
    place = replace(PLACES[8], lamp_along=along)
    pose = Pose(x=0.0 if along < 0 else 1.0, y=1.0, length=0.5, angle=0.0, faces_left=True)
    fish = Canvas(pose, (240, 320), (0.0, 100.0), 15.0)
    fish.cover[:] = 1.0
    image = np.ones((3, 240, 320), dtype=np.float32)
    _lay_down(image, fish, place, np.random.default_rng(0))
    far = slice(-100, None) if along < 0 else slice(100)
    np.testing.assert_array_equal(image[:, :, far], 1.0)
    np.testing.assert_array_equal(image[:, :100], 1.0)


def test_importing_the_demo_loads_nothing_heavy() -> None:
    code = (
        "import sys, fishembed.demo; "
        "sys.exit(bool({'numpy', 'PIL', 'scipy', 'joblib', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_names_of_the_demo_exist() -> None:
    assert set(demo.__all__) <= set(dir(demo))
    for name in demo.__all__:
        assert getattr(demo, name) is not None
    with pytest.raises(AttributeError, match="no_such_name"):
        demo.no_such_name  # noqa: B018


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
