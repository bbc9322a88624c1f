from __future__ import annotations

import numpy as np
from planted import KINDS

from fishembed.audit import audit_store, split_store
from fishembed.cache import FeatureStore


def test_planted_leaks_are_found(planted):
    photos, store = planted
    leaks = audit_store(store, read_photos=False)["leaks"]
    found = {store.paths[leak.row]: leak for leak in leaks.found}
    sure = [pair for kind in KINDS[:3] for pair in photos.pairs[kind]]
    assert {copy for copy, _ in sure} <= set(found)
    assert {store.paths[found[copy].other] for copy, _ in sure} == {o for _, o in sure}
    identical = {path for path, leak in found.items() if leak.kind == "identical"}
    assert identical == {copy for copy, _ in photos.pairs["copy"]}
    flipped = {copy for copy, _ in photos.pairs["flipped"]}
    assert set(found) <= {copy for copy, _ in sure} | flipped
    assert leaks.rows("test") == sorted(leak.row for leak in found.values())


def test_groups_on_both_sides_leak(vectors_store):
    groups = [f"dive {i // 4}" for i in range(80)]
    rng = np.random.default_rng(0)
    splits = rng.choice(["train", "test"], 80)
    with FeatureStore.open(vectors_store([40, 40], splits=splits, groups=groups)) as store:
        leaks = audit_store(store, read_photos=False, threshold=0.9999)["leaks"]
    sides = {g: {splits[i] for i in range(80) if groups[i] == g} for g in groups}
    both = {g for g, side in sides.items() if len(side) == 2}
    assert set(leaks.shared_groups) == both
    expected = [i for i in range(80) if splits[i] == "test" and groups[i] in both]
    assert leaks.rows("test") == expected


def test_a_split_by_groups_does_not_leak(vectors_store):
    groups = [f"dive {i // 4}" for i in range(80)]
    place = vectors_store([40, 40], groups=groups)
    split_store(place, val=0.2, test=0.2)
    with FeatureStore.open(place) as store:
        leaks = audit_store(store, read_photos=False, threshold=0.9999)["leaks"]
    assert leaks.shared_groups == ()
    assert leaks.found == ()


def test_val_against_train_and_test_against_both(vectors_store):
    splits = ["train", "val", "test", "test"] + [""] * 16
    digests = ["a" * 64, "a" * 64, "a" * 64, "b" * 64] + ["c" * 64] * 16
    features = np.random.default_rng(0).standard_normal((20, 8)).astype(np.float32)
    features[1:3] = features[0]
    place = vectors_store([10, 10], splits=splits, digests=digests, features=features)
    with FeatureStore.open(place) as store:
        leaks = audit_store(store, read_photos=False, threshold=0.9999)["leaks"]
    assert [(one.split, one.other_split, one.other) for one in leaks.found] == [
        ("val", "train", 0),
        ("test", "train", 0),
        ("test", "val", 1),
    ]
