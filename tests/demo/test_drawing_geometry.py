from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fishembed.demo.catalogue import SPECIES
from fishembed.demo.geometry import Canvas, Curve, Outline, Pose, Side
from fishembed.demo.pixels import rgb

LEVEL = Pose(x=0.5, y=0.5, length=0.5, angle=0.0, faces_left=True)
SHAPE = (240, 320)


def canvas(**changes: float) -> Canvas:
    return Canvas(replace(LEVEL, **changes), SHAPE, (-5.0, 130.0), 40.0)


def test_a_curve_reads_like_interpolation_and_holds_its_ends() -> None:
    grid = np.linspace(0.0, 20.0, 2001)
    curve = Curve(grid, np.interp(grid, [0.0, 10.0, 20.0], [0.0, 5.0, 1.0]))
    x = np.array([-3.0, 0.0, 5.0, 10.0, 15.0, 99.0], dtype=np.float32)
    np.testing.assert_allclose(curve(x), [0.0, 0.0, 2.5, 5.0, 3.0, 1.0], atol=0.02)


@pytest.mark.parametrize(("faces_left", "snout_is_left"), [(True, True), (False, False)])
def test_the_head_is_on_the_side_it_faces(faces_left: bool, snout_is_left: bool) -> None:
    fish = canvas(faces_left=faces_left)
    snout = np.abs(fish.x).min(axis=0).argmin() + fish.window[1].start
    assert (snout < 160) == snout_is_left
    assert fish.y[0].mean() > fish.y[-1].mean()


@pytest.mark.parametrize("angle", [-30.0, 0.0, 45.0])
@pytest.mark.parametrize("bend", [0.0, 4.0])
def test_a_part_holds_every_pixel_of_its_box(angle: float, bend: float) -> None:
    fish = canvas(angle=angle, bend=bend, phase=1.0)
    inside = (np.abs(fish.x - 60.0) < 10.0) & (np.abs(fish.y) < 8.0)
    part = np.zeros_like(inside)
    part[fish.part(50.0, 70.0, -8.0, 8.0)] = True
    assert inside.any()
    assert not (inside & ~part).any()


def test_a_fish_outside_the_image_paints_nothing() -> None:
    fish = canvas(x=9.0)
    assert fish.cover.size == 0


def test_paint_covers_what_is_below() -> None:
    fish = canvas()
    window = fish.part(20.0, 40.0, -5.0, 5.0)
    half = np.full(fish.cover[window].shape, 0.5, dtype=np.float32)
    fish.paint(window, rgb("#ff0000"), half)
    fish.paint(window, rgb("#0000ff"), half)
    np.testing.assert_allclose(fish.cover[window], 0.75)
    np.testing.assert_allclose(fish.colour[0][window], 0.25)
    np.testing.assert_allclose(fish.colour[2][window], 0.5)
    assert fish.cover.sum() == pytest.approx(0.75 * half.size)


@pytest.mark.parametrize("species", SPECIES, ids=lambda species: species.name)
def test_bodies_fill_the_area_their_outline_says(species) -> None:
    fish = canvas()
    outline = Outline(species.back, species.belly)
    body = Side(fish, outline)
    x = np.linspace(0.0, 103.0, 400, dtype=np.float32)
    area = float(np.mean(outline.back(x) + outline.belly(x)) * 103.0) * fish.scale**2
    assert float(body.cover.sum()) == pytest.approx(area, rel=0.05)
    assert np.abs(body.v).max() <= 1.0
