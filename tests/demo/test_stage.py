from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fishembed.demo.outline import Outline, surface
from fishembed.demo.species import SPECIES
from fishembed.demo.stage import Curve, Layer, Pose, Stage

LEVEL = Pose(x=0.5, y=0.5, length=0.5, angle=0.0, faces_left=True)
BOX = (-5.0, 130.0, -40.0, 40.0)
SHAPE = (240, 320)


def test_a_curve_reads_like_interpolation_and_holds_its_ends() -> None:
    curve = Curve(np.array([0.0, 10.0, 20.0]), np.array([0.0, 5.0, 1.0]))
    x = np.array([-3.0, 0.0, 5.0, 10.0, 15.0, 99.0], dtype=np.float32)
    np.testing.assert_allclose(curve(x), [0.0, 0.0, 2.5, 5.0, 3.0, 1.0], atol=0.02)


@pytest.mark.parametrize(("faces_left", "snout_is_left"), [(True, True), (False, False)])
def test_the_head_is_on_the_side_it_faces(faces_left: bool, snout_is_left: bool) -> None:
    stage = Stage(replace(LEVEL, faces_left=faces_left), SHAPE, BOX)
    snout = np.abs(stage.x).min(axis=0).argmin() + stage.window[1].start
    assert (snout < 160) == snout_is_left
    assert stage.y[0].mean() > stage.y[-1].mean()


@pytest.mark.parametrize("angle", [-30.0, 0.0, 45.0])
@pytest.mark.parametrize("bend", [0.0, 4.0])
def test_a_part_holds_every_pixel_of_its_box(angle: float, bend: float) -> None:
    stage = Stage(replace(LEVEL, angle=angle, bend=bend, phase=1.0), SHAPE, BOX)
    inside = (np.abs(stage.x - 60.0) < 10.0) & (np.abs(stage.y) < 8.0)
    part = np.zeros_like(inside)
    part[stage.part(50.0, 70.0, -8.0, 8.0)] = True
    assert inside.any()
    assert not (inside & ~part).any()


def test_a_fish_outside_the_picture_paints_nothing() -> None:
    layer = Layer(Stage(replace(LEVEL, x=9.0), SHAPE, BOX))
    assert layer.cover.size == 0


def test_paint_covers_what_is_below() -> None:
    layer = Layer(Stage(LEVEL, SHAPE, BOX))
    window = layer.stage.part(20.0, 40.0, -5.0, 5.0)
    half = np.full(layer.cover[window].shape, 0.5, dtype=np.float32)
    layer.paint(window, np.array([1.0, 0.0, 0.0], dtype=np.float32), half)
    layer.paint(window, np.array([0.0, 0.0, 1.0], dtype=np.float32), half)
    np.testing.assert_allclose(layer.cover[window], 0.75)
    np.testing.assert_allclose(layer.colour[0][window], 0.25)
    np.testing.assert_allclose(layer.colour[2][window], 0.5)
    assert layer.cover.sum() == pytest.approx(0.75 * half.size)


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_bodies_fill_the_area_their_outline_says(species) -> None:
    stage = Stage(LEVEL, SHAPE, BOX)
    outline = Outline(species.profile)
    body = surface(stage, outline)
    x = np.linspace(0.0, 103.0, 400, dtype=np.float32)
    area = float(np.mean(outline.back(x) + outline.belly(x)) * 103.0) * stage.scale**2
    assert float(body.cover.sum()) == pytest.approx(area, rel=0.05)
    assert np.abs(body.v).max() <= 1.0
