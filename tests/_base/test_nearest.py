from __future__ import annotations

import numpy as np
import pytest

from fishembed._base.nearest import nearest_rows

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
