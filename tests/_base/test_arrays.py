from __future__ import annotations

import numpy as np
import pytest

from fishembed._base.arrays import row_lengths, unit_rows


@pytest.mark.parametrize(
    ("given", "kept"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int64", "float32")],
)
def test_rows_have_length_one_and_zeros_stay(given, kept):
    X = np.array([[3, 4], [0, 0], [-5, 12]], given)
    unit = unit_rows(X)
    assert unit.dtype == row_lengths(X).dtype == kept
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0, 0], [-5 / 13, 12 / 13]], rtol=1e-6)
    assert row_lengths(X).tolist() == [5, 1, 13]
    assert X.tolist() == [[3, 4], [0, 0], [-5, 12]], "the rows given are not changed"


def test_half_floats_do_not_overflow():
    assert row_lengths(np.full((1, 4), 60_000, np.float16)).tolist() == [120_000]


def test_rows_lie_along_the_last_axis():
    X = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(np.linalg.norm(unit_rows(X), axis=2), 1)
    assert unit_rows(np.zeros((0, 4), np.float32)).shape == (0, 4)


def test_tiny_and_huge_rows_give_no_nan():
    X = np.array([[1e-30, 0], [3e38, 0]], np.float32)
    with np.errstate(over="ignore"):
        assert np.isfinite(unit_rows(X)).all()
