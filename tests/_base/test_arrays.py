from __future__ import annotations

import numpy as np
import pytest

from fishembed._base.arrays import (
    add_class_sums,
    largest,
    nearest_rows,
    rows_and_lengths,
    unit_rows,
    upper_quantile,
)


@pytest.mark.parametrize(
    ("given", "kept"),
    [("float16", "float32"), ("float32", "float32"), ("float64", "float64"), ("int64", "float32")],
)
def test_rows_have_length_one_and_zeros_stay(given, kept):
    X = np.array([[3, 4], [0, 0], [-5, 12]], given)
    unit = unit_rows(X)
    rows, lengths = rows_and_lengths(X)
    assert unit.dtype == rows.dtype == lengths.dtype == kept
    np.testing.assert_allclose(unit, [[0.6, 0.8], [0, 0], [-5 / 13, 12 / 13]], rtol=1e-6)
    assert lengths.tolist() == [5, 1, 13]
    assert X.tolist() == [[3, 4], [0, 0], [-5, 12]], "the rows given are not changed"


def test_half_floats_do_not_overflow():
    assert rows_and_lengths(np.full((1, 4), 60_000, np.float16))[1].tolist() == [120_000]


def test_rows_lie_along_the_last_axis():
    X = np.random.default_rng(0).normal(size=(2, 3, 4))
    np.testing.assert_allclose(np.linalg.norm(unit_rows(X), axis=2), 1)
    assert unit_rows(np.zeros((0, 4), np.float32)).shape == (0, 4)


@pytest.mark.parametrize("scale", [1e-40, 1e-30, 1e-20, 1e20, 1e38])
def test_tiny_and_huge_rows_have_length_one_too(scale):
    X = np.array([[1, 2, 2], [0, 0, 0], [3, 4, 0]]).astype(np.float32)
    X[0] *= np.float32(scale)
    expected = [[1 / 3, 2 / 3, 2 / 3], [0, 0, 0], [0.6, 0.8, 0]]
    np.testing.assert_allclose(unit_rows(X), expected, rtol=1e-3 if scale < 1e-38 else 1e-6)
    rows, lengths = rows_and_lengths(X)
    np.testing.assert_allclose(rows / lengths[:, None], unit_rows(X))


def test_sums_by_class_are_those_of_add_at():
    rng = np.random.default_rng(0)
    rows, codes = rng.normal(size=(200, 5)).astype(np.float32), rng.choice([0, 3, 4], 200)
    total, expected = np.ones((6, 5)), np.ones((6, 5))
    add_class_sums(total, rows, codes)
    np.add.at(expected, codes, rows)
    np.testing.assert_allclose(total, expected, rtol=1e-12)
    add_class_sums(total, rows[:0], codes[:0])
    np.testing.assert_allclose(total, expected, rtol=1e-12)


def test_the_largest_columns_are_those_of_a_stable_sort():
    rng = np.random.default_rng(0)
    for columns in (3, 700):
        values = rng.integers(0, 30, (40, columns)).astype(float)  # many are equal
        for n in (1, 5, columns + 1):
            expected = np.argsort(-values, axis=1, kind="stable")[:, :n]
            assert (largest(values, n) == expected).all()
    assert largest(np.zeros((0, 900)), 2).shape == (0, 2)


def test_new_rows_stay_below_as_often_as_stated():
    rng = np.random.default_rng(0)
    kept = [(rng.normal(size=200) <= upper_quantile(rng.normal(size=60), 0.9)) for _ in range(400)]
    assert 0.895 < np.mean(kept) < 0.92


def test_too_few_rows_promise_nothing():
    assert upper_quantile([], 0.5) == float("inf")
    assert upper_quantile(np.arange(18), 0.95) == float("inf")
    assert upper_quantile(np.arange(19), 0.95) == 18


def test_a_group_counts_as_one():
    scores = np.arange(40) / 40
    assert upper_quantile(scores, 0.9, np.arange(40) // 2) >= upper_quantile(scores, 0.9)
    assert upper_quantile(scores, 0.95, np.arange(40) // 4) == float("inf")


def test_weights_move_the_quantile_to_the_heavier_rows():
    assert upper_quantile([1, 2, 3, 4], 0.5, weights=[1, 1, 1, 5]) == 4


RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 6)) * RNG.uniform(0.1, 10, size=(40, 1))
QUERIES = RNG.normal(size=(9, 6))


def read(start: int, stop: int) -> np.ndarray:
    return X[start:stop]


@pytest.mark.parametrize("block", [2048, 7])
@pytest.mark.parametrize("n", [1, 3])
def test_they_are_the_nearest_by_cosine(block, n):
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    cosines = QUERIES / np.linalg.norm(QUERIES, axis=1, keepdims=True) @ unit.T
    rows, found = nearest_rows(QUERIES, read, 40, n, block=block)
    assert (rows == np.argsort(-cosines, axis=1)[:, :n]).all()
    np.testing.assert_allclose(found, np.take_along_axis(cosines, rows, 1), rtol=1e-5)


@pytest.mark.parametrize("block", [2048, 7])
def test_pairs_can_be_left_out(block):
    mine, theirs = np.arange(9) % 3, np.arange(40) % 3

    def same(queries: slice, rows: slice) -> np.ndarray:
        return mine[queries, None] == theirs[None, rows]

    rows, _ = nearest_rows(QUERIES, read, 40, excluded=same, block=block)
    assert (theirs[rows[:, 0]] != mine).all()
    theirs[:] = 0
    mine[:] = 0
    _, cosines = nearest_rows(QUERIES, read, 40, excluded=same, block=block)
    assert (cosines == -1).all()


def test_fewer_rows_than_asked_for_are_all_returned():
    rows, _ = nearest_rows(QUERIES, read, 2, 5)
    assert rows.shape == (9, 2)
    assert nearest_rows(np.empty((0, 6)), read, 2)[0].shape[0] == 0


@pytest.mark.parametrize("n", [1, 4, 9])
def test_of_equal_cosines_the_first_rows_are_taken_in_any_block(n):
    grid = np.round(RNG.normal(size=(60, 2)))
    whole = nearest_rows(grid, lambda start, stop: grid[start:stop], 60, n)
    parts = nearest_rows(grid, lambda start, stop: grid[start:stop], 60, n, block=8)
    for one, other in zip(whole, parts, strict=True):
        np.testing.assert_array_equal(one, other)
