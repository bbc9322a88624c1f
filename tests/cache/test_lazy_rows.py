"""Rows that are read when asked for are those of the arrays they stand for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed.cache.lazy_rows import SelectedRows, StackedRows


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
