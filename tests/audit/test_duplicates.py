from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import KINDS

from fishembed._base.arrays import unit_rows
from fishembed.audit.auditing import pick_threshold
from fishembed.audit.duplicates import find_duplicates
from fishembed.audit.search import close_pairs, nearest_apart
from fishembed.audit.threshold import choose_threshold, given_threshold
from fishembed.errors import InputError


def found_pairs(store):
    threshold = pick_threshold(store, None, 0)
    found = find_duplicates(store.features, store.digests, store.splits, threshold)
    paths = store.paths
    return found, [{paths[row] for row in group.rows} for group in found.groups]


def test_planted_copies_are_found_and_nothing_else(planted):
    photos, store = planted
    found, groups = found_pairs(store)
    for kind in ("copy", "recompressed", "resized"):
        pairs = [set(pair) for pair in photos.pairs[kind]]
        assert all(any(pair <= group for group in groups) for pair in pairs), kind
    planted_paths = {path for kind in KINDS for pair in photos.pairs[kind] for path in pair}
    assert all(group <= planted_paths for group in groups)
    assert len(found.identical) == len(photos.pairs["copy"])


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
        for part in close_pairs(features, 0.8, block=block)
        for i, j in zip(part.first, part.second, strict=True)
    ]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == brute(features, 0.8)
    codes = rng.integers(-1, 3, n)
    unit = unit_rows(features)
    near = np.where((codes[:, None] != codes) & (codes >= 0), unit @ unit.T, -1).max(axis=1)
    found = nearest_apart(features, np.arange(n), codes, block=block)
    np.testing.assert_allclose(found, near, atol=1e-6)


def test_components_reach_through_chains():
    angle = np.deg2rad(np.arange(6) * 10)
    features = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    splits = np.array(["train", "test", "", "train", "test", "train"])
    found = find_duplicates(
        features, [""] * 6, splits, given_threshold(float(np.cos(np.deg2rad(11))))
    )
    assert [group.rows for group in found.groups] == [(0, 1, 2, 3, 4, 5)]
    assert found.n_pairs == 5
    column = found.splits.index("train")
    assert found.twin[:, column].tolist() == [-1, 0, 3, -1, 5, -1]


def test_many_pairs_need_no_memory_for_each():
    features = np.tile(np.float32([1, 2, 3]), (3000, 1))
    found = find_duplicates(features, [""] * 3000, np.array([""] * 3000), given_threshold(0.9999))
    assert len(found.groups[0].rows) == 3000
    assert found.n_pairs == 3000 * 2999 // 2
    assert not found.groups[0].identical


def test_the_threshold_holds_when_labels_are_wrong():
    rng = np.random.default_rng(0)
    features = (2 + rng.standard_normal((600, 32))).astype(np.float32)
    labels = rng.integers(0, 5, 600)
    before = choose_threshold(features, labels, "class").cosine
    features[:20] = features[20:40]  # copies, most under another label
    after = choose_threshold(features, labels, "class").cosine
    assert 0.91 < before < after < before + 0.03 < 0.9999


@pytest.mark.parametrize("cosine", [0, -1, 1.5])
def test_a_threshold_that_is_no_cosine(cosine):
    with pytest.raises(InputError, match="cosine"):
        given_threshold(cosine)
