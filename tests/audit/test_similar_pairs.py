from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed._base.arrays import unit_rows
from fishembed.audit.similar_pairs import similar_pairs
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
