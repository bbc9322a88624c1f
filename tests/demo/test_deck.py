from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fishembed.demo.deck import cast_shadow, deck_light, shifted


@given(st.integers(-9, 9), st.integers(-9, 9))
def test_shifting_moves_without_wrapping(down: int, across: int) -> None:
    field = np.arange(1, 7 * 8 + 1, dtype=np.float32).reshape(7, 8)
    moved = shifted(field, down, across)
    for row in range(7):
        for column in range(8):
            source = row - down, column - across
            inside = 0 <= source[0] < 7 and 0 <= source[1] < 8
            assert moved[row, column] == (field[source] if inside else 0.0)


def test_a_shadow_falls_beside_the_fish_and_nowhere_else() -> None:
    cover = np.zeros((240, 320), dtype=np.float32)
    cover[100:140, 200:320] = 1.0
    picture = np.ones((3, 240, 320), dtype=np.float32)
    cast_shadow(picture, cover, deck_light(np.random.default_rng(0)))
    assert picture[:, 143, 260].max() < 0.8
    np.testing.assert_allclose(picture[:, :, :100], 1.0, atol=0.01)
    np.testing.assert_allclose(picture[:, :60], 1.0, atol=0.01)
