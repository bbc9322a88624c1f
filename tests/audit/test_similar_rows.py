from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed._base.arrays import unit_rows
from fishembed.audit import similar_rows
from fishembed.audit.similar_rows import ConnectedRows, connected_groups, similar_pairs
from fishembed.evaluation.near_duplicates import nearest_in_other_groups


def brute(features, threshold):
    unit = unit_rows(features)
    cosines = unit @ unit.T
    return {
        (i, j)
        for i in range(len(features))
        for j in range(i + 1, len(features))
        if cosines[i, j] >= threshold
    }


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 40), st.integers(1, 9), st.integers(0, 999), st.sampled_from(["f4", "f2"]))
def test_blocks_find_what_all_at_once_finds(n, block, seed, dtype):
    rng = np.random.default_rng(seed)
    features = rng.standard_normal((n, 3)).astype(dtype)
    features[rng.random(n) < 0.1] = 0
    pairs = [
        (int(i), int(j))
        for part in similar_pairs(features, 0.8, block=block)
        for i, j in zip(part.first, part.second, strict=True)
    ]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute(features, 0.8)
    codes = rng.integers(-1, 3, n)
    unit = unit_rows(features)
    near = np.where((codes[:, None] != codes) & (codes >= 0), unit @ unit.T, -1).max(axis=1)
    found = nearest_in_other_groups(features, np.arange(n), codes, block=block)
    np.testing.assert_allclose(found, near, atol=1e-6)


PAIRS = st.lists(st.tuples(st.integers(0, 14), st.integers(0, 14)), max_size=20)


def spread_minimum(pairs):
    """Number the groups of 15 rows by spreading the smallest row until nothing changes."""
    least = list(range(15))
    for _ in range(15):
        for a, b in pairs:
            least[a] = least[b] = min(least[a], least[b])
    return [sorted(set(least)).index(row) for row in least]


@pytest.mark.parametrize("batch", [0, 3, 1000])
@given(pairs=PAIRS)
def test_batches_find_what_spreading_finds(batch, pairs):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(similar_rows, "_MERGE_AT", batch)
        rows = ConnectedRows(15)
        for first, second in pairs:
            rows.connect(np.array([first]), np.array([second]))
        assert rows.groups().tolist() == spread_minimum(pairs)


def test_zero_is_a_number_and_no_text_is_none():
    assert connected_groups(np.array([0, 1, 0])).tolist() == [0, 1, 0]
    assert connected_groups(["", "a", ""]).tolist() == [0, 1, 2]
