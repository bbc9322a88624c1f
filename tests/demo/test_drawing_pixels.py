from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.demo.pixels import (
    TILE,
    WAVES,
    blend,
    bump,
    clouds,
    noise,
    noise_table,
    pixel_grid,
    rgb,
    shifted,
    smoothstep,
    texture,
)


@pytest.mark.parametrize("kind", ["blob", "cloud", "grain"])
def test_noise_is_spread_evenly(kind: str) -> None:
    table = noise_table(kind)
    assert table.dtype == np.float32
    assert table.shape == (TILE, TILE)
    np.testing.assert_allclose(np.quantile(table, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.06)


def test_an_unknown_kind_of_noise_is_named() -> None:
    with pytest.raises(KeyError, match="smoke"):
        noise_table("smoke")


def test_smooth_noise_wraps_without_a_seam() -> None:
    table = noise_table("blob")
    inner = np.abs(np.diff(table, axis=1)).max()
    assert np.abs(table[:, 0] - table[:, -1]).max() <= inner * 1.2


def test_light_gathers_in_lines() -> None:
    table = noise_table("web")
    assert table.min() >= 0.0
    assert table.max() <= 1.0
    assert 0.01 < np.mean(table > 0.5) < 0.2


SAMPLES = st.integers(-20_000, 20_000).map(lambda sixtyfourths: sixtyfourths / 64)


@given(SAMPLES, SAMPLES)
def test_reading_a_table_wraps(a: float, b: float) -> None:
    table, step = noise_table("grain"), TILE // WAVES
    first = np.array([[a / step]], dtype=np.float32)
    second = np.array([[b / step]], dtype=np.float32)
    row, column = (int(np.floor(at[0, 0] * step)) % TILE for at in (second, first))
    assert noise(first, second, "grain")[0, 0] == table[row, column]


def test_a_piece_of_a_table_has_the_shape_asked_for_and_wraps() -> None:
    piece = texture((TILE, 40), np.random.default_rng(0), "blob")
    assert piece.shape == (TILE, 40)
    seam = np.abs(piece[0] - piece[-1]).max()
    assert seam <= np.abs(np.diff(piece, axis=0)).max() * 1.2


def test_fields_stay_single_precision() -> None:
    x = np.linspace(0, 4, 50, dtype=np.float32)[None, :]
    for field in (smoothstep(0.2, 0.9, x), bump(1.0, 0.5, x), noise(x, x), blend(x, x + 1, x)):
        assert field.dtype == np.float32


def test_stretched_noise_has_the_shape_asked_for() -> None:
    field = clouds((24, 40), (2.0, 3.0), np.random.default_rng(0), "cloud")
    assert field.shape == (24, 40)
    assert field.min() >= 0.0
    assert field.max() <= 1.0


def test_a_grid_keeps_lengths_when_it_is_turned() -> None:
    level, turned = pixel_grid((24, 40)), pixel_grid((24, 40), 0.3)
    assert level[1][0, 0] == -0.5
    np.testing.assert_allclose(np.hypot(*turned), np.hypot(*level), rtol=1e-4)


COLOURS = st.text("0123456789abcdef", min_size=6, max_size=6).map("#{}".format)


@given(COLOURS)
def test_a_colour_that_is_not_shifted_stays(colour: str) -> None:
    np.testing.assert_array_equal(
        np.rint(rgb(colour).ravel() * 255), list(bytes.fromhex(colour[1:]))
    )
    same = shifted(colour, hue=0.0, saturation=1.0, brightness=1.0)
    np.testing.assert_allclose(same, rgb(colour), atol=0.005)


@given(COLOURS, COLOURS)
def test_a_blend_goes_from_the_ground_to_the_paint(ground: str, paint: str) -> None:
    np.testing.assert_array_equal(blend(rgb(ground), rgb(paint), 0.0), rgb(ground))
    np.testing.assert_allclose(blend(rgb(ground), rgb(paint), 1.0), rgb(paint), atol=1e-6)
