from __future__ import annotations

import numpy as np
from planted import KINDS

from fishembed.audit.checks.duplicates import find_duplicates
from fishembed.evaluation.near_duplicates import Threshold, near_duplicate_threshold


def found_pairs(store):
    threshold = near_duplicate_threshold(store.features, store.labels, store.groups)
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
    assert len([one for one in found.groups if one.identical]) == len(photos.pairs["copy"])


def test_components_reach_through_chains():
    angle = np.deg2rad(np.arange(6) * 10)
    features = np.stack([np.cos(angle), np.sin(angle)], axis=1).astype(np.float32)
    splits = np.array(["train", "test", "", "train", "test", "train"])
    found = find_duplicates(
        features, [""] * 6, splits, Threshold(float(np.cos(np.deg2rad(11))), "given")
    )
    assert [group.rows for group in found.groups] == [(0, 1, 2, 3, 4, 5)]
    assert found.n_pairs == 5
    column = found.part[0]
    assert found.nearest[:, column].tolist() == [-1, 0, 3, -1, 5, -1]


def test_many_pairs_need_no_memory_for_each():
    features = np.tile(np.float32([1, 2, 3]), (3000, 1))
    found = find_duplicates(
        features, [""] * 3000, np.array([""] * 3000), Threshold(0.9999, "given")
    )
    assert len(found.groups[0].rows) == 3000
    assert found.n_pairs == 3000 * 2999 // 2
    assert not found.groups[0].identical
