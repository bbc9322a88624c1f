from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed.demo.colour import mixed, name_of, rgb, shifted, text
from fishembed.demo.fields import (
    TILE,
    bump,
    caustic_table,
    look_up,
    noise,
    noise_table,
    ribbon,
    smoothstep,
    stretched,
)


@pytest.mark.parametrize("kind", ["blob", "cloud", "grain"])
def test_noise_is_spread_evenly(kind: str) -> None:
    table = noise_table(kind)
    assert table.dtype == np.float32
    assert table.shape == (TILE, TILE)
    np.testing.assert_allclose(np.quantile(table, [0.25, 0.5, 0.75]), [0.25, 0.5, 0.75], atol=0.06)


def test_an_unknown_kind_of_noise_is_named() -> None:
    with pytest.raises(ValueError, match="'smoke'"):
        noise_table("smoke")


def test_smooth_noise_wraps_without_a_seam() -> None:
    table = noise_table("blob")
    inner = np.abs(np.diff(table, axis=1)).max()
    assert np.abs(table[:, 0] - table[:, -1]).max() <= inner * 1.2


def test_light_gathers_in_lines() -> None:
    table = caustic_table()
    assert table.min() >= 0.0
    assert table.max() <= 1.0
    assert 0.01 < np.mean(table > 0.5) < 0.2


SAMPLES = st.integers(-20_000, 20_000).map(lambda sixtyfourths: sixtyfourths / 64)


@given(SAMPLES, SAMPLES)
def test_reading_a_table_wraps(a: float, b: float) -> None:
    table = noise_table("grain")
    first = np.array([[a]], dtype=np.float32)
    second = np.array([[b]], dtype=np.float32)
    value = look_up(table, first, second)[0, 0]
    assert value == table[int(np.floor(second[0, 0])) % TILE, int(np.floor(first[0, 0])) % TILE]


def test_fields_stay_single_precision() -> None:
    x = np.linspace(0, 4, 50, dtype=np.float32)[None, :]
    for field in (smoothstep(0.2, 0.9, x), bump(1.0, 0.5, x), noise(x, x), ribbon(x, 3)):
        assert field.dtype == np.float32


def test_stretched_noise_has_the_shape_asked_for() -> None:
    field = stretched((24, 40), (2.0, 3.0), np.random.default_rng(0), "cloud")
    assert field.shape == (24, 40)
    assert field.min() >= 0.0
    assert field.max() <= 1.0


@given(st.text("0123456789abcdef", min_size=6, max_size=6).map("#{}".format))
def test_colours_survive_the_round_trip(colour: str) -> None:
    assert text(rgb(colour)) == colour
    assert mixed(colour, "#000000", 0.0) == colour
    same = rgb(shifted(colour, hue=0.0, saturation=1.0, brightness=1.0))
    np.testing.assert_allclose(same, rgb(colour), atol=0.005)


@pytest.mark.parametrize(
    ("colour", "name"),
    [("#f08020", "orange"), ("#101010", "black"), ("#f5f3ee", "white"), ("#6b6c3a", "olive")],
)
def test_colours_have_plain_names(colour: str, name: str) -> None:
    assert name_of(colour) == name
