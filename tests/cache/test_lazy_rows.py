"""Rows that are read when asked for are those of the arrays they stand for."""

from __future__ import annotations

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed.cache.lazy_rows import (
    ComputedRows,
    JoinedRows,
    LazyRows,
    SelectedRows,
    StackedRows,
    file_rows,
)


def counting(number: int) -> np.ndarray:
    """Stand for a file of a billion rows without having them."""

    class Far:
        shape, dtype = (10**9, 1), np.dtype(np.int64)

        def __getitem__(self, key):
            rows = np.arange(key.start, key.stop) if isinstance(key, slice) else key
            return (rows + number * 10**9)[:, None]

    return Far()


def test_billions_of_rows_are_addressed():
    rows = StackedRows([10**9] * 10, counting, 1, np.int64)
    assert rows.shape == (10**10, 1)
    assert rows[9_999_999_999].tolist() == [9_999_999_999]
    assert rows[-1].tolist() == [9_999_999_999]
    assert rows[4_999_999_998:5_000_000_002].ravel().tolist() == list(
        range(4_999_999_998, 5_000_000_002)
    )
    wanted = np.array([7_000_000_000, 3, 2**31, 2**32])
    assert rows[wanted].ravel().tolist() == wanted.tolist()
    assert SelectedRows(rows, wanted)[1:].ravel().tolist() == wanted[1:].tolist()
    with pytest.raises(IndexError, match="10,000,000,000"):
        _ = rows[10**10]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=1, max_size=6), st.data())
def test_rows_are_those_of_the_arrays_below_each_other(lengths, data):
    parts = [np.random.default_rng(i).integers(0, 99, (n, 2)) for i, n in enumerate(lengths)]
    whole = np.concatenate(parts)
    lazy = StackedRows(lengths, parts.__getitem__, 2, whole.dtype)
    key = data.draw(
        st.one_of(
            st.slices(len(whole)),
            st.lists(st.sampled_from(range(-len(whole), len(whole))))
            if len(whole)
            else st.just([]),
            st.lists(st.booleans(), min_size=len(whole), max_size=len(whole)).map(np.array),
        )
    )
    if isinstance(key, list):
        key = np.array(key, np.int64)
    if isinstance(key, np.ndarray) and not key.size:
        key = key.astype(np.int64)
    np.testing.assert_array_equal(lazy[key], whole[key])


MATRIX = np.random.default_rng(1).standard_normal((40, 3)).astype(np.float32)


@pytest.fixture(params=["computed", "stacked", "selected", "joined", "file", "chunked file"])
def rows(request, workspace):
    """A lazy matrix of each kind, and the array that it stands for."""
    order = np.random.default_rng(2).permutation(40)
    if request.param == "computed":
        yield ComputedRows(lambda a, b: MATRIX[a:b], 40, 3), MATRIX
    elif request.param == "stacked":
        parts = MATRIX[:7], MATRIX[7:7], MATRIX[7:]
        yield StackedRows([7, 0, 33], parts.__getitem__, 3, MATRIX.dtype), MATRIX
    elif request.param == "selected":
        yield SelectedRows(MATRIX, order), MATRIX[order]
    elif request.param == "joined":
        pairs = np.stack([order, order[::-1]], axis=1)
        unit = MATRIX / np.linalg.norm(MATRIX, axis=1, keepdims=True)
        yield (
            JoinedRows([MATRIX, MATRIX[:, :2]], pairs),
            np.hstack(
                [
                    unit[order],
                    MATRIX[order[::-1], :2]
                    / np.linalg.norm(MATRIX[order[::-1], :2], axis=1, keepdims=True),
                ]
            ),
        )
    else:
        chunks = (8, 3) if request.param == "chunked file" else None
        with h5py.File(workspace / "a.h5", "w") as file:
            file.create_dataset("x", data=MATRIX, chunks=chunks)
        with h5py.File(workspace / "a.h5") as file:
            yield file_rows(file["x"]), MATRIX


@pytest.mark.parametrize(
    "key",
    [
        slice(None),
        slice(5, 9),
        slice(9, 5),
        slice(38, 99),
        slice(-3, None),
        [3, 4, 5, 30],
        [0],
        np.arange(40) % 3 == 0,
        7,
    ],
    ids=str,
)
def test_every_kind_answers_as_an_array_does(rows, key):
    lazy, array = rows
    assert tuple(lazy.shape) == array.shape
    assert lazy.dtype == array.dtype
    np.testing.assert_allclose(np.asarray(lazy[key]), array[key], rtol=1e-6)
    if isinstance(lazy, LazyRows):
        np.testing.assert_allclose(lazy[[9, 2, -1, 2]], array[[9, 2, -1, 2]], rtol=1e-6)
        np.testing.assert_allclose(np.asarray(lazy), array, rtol=1e-6)
        assert lazy[[]].shape == (0, array.shape[1])
        with pytest.raises(IndexError):
            _ = lazy[[40]]
