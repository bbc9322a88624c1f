"""Stores put together and cut."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors

from fishembed.cache import (
    FeatureStore,
    merge_stores,
    shard_store,
)
from fishembed.errors import (
    InputError,
    StoreMismatchError,
)


def said(store):
    columns = [getattr(store, name) for name in ("paths", "digests", "groups", "skipped")]
    labels = [store.classes[label] if label >= 0 else "" for label in store.labels]
    return (*columns, labels, store.splits.tolist(), store.features[:].tobytes())


@pytest.mark.parametrize("rows", [41, 64, 1000])
def test_a_cut_store_says_what_the_whole_one_does(make_store, workspace, rows):
    whole = make_store(200, trunk=make_vectors(200, 3, seed=9), dtype=np.float16)
    assert shard_store(whole.path, rows, "parted.json") == -(-200 // rows)
    with FeatureStore.open("parted.json") as store:
        assert said(store) == said(whole)
        assert store.trunk[:].tobytes() == whole.trunk.tobytes()
        assert (store.features.shape, store.features.dtype) == ((200, 5), np.float16)
        assert store.verify() == []
        assert store.text("mine").names == whole.text("mine").names
        np.testing.assert_array_equal(store.text("single").features, whole.text("single").features)
        X, y = store.split("val")
        expected, labels = whole.split("val")
        np.testing.assert_array_equal(X, expected)
        np.testing.assert_array_equal(y, labels)
        lazy, lazy_labels = store.lazy_split("val")
        np.testing.assert_array_equal(np.asarray(lazy, np.float32), expected)
        np.testing.assert_array_equal(lazy_labels, labels)
        assert len(store.to_pandas()) == 200
    merge_stores("again.h5", ["parted.json"])
    with FeatureStore.open("again.h5") as store:
        assert said(store) == said(whole)
        assert store.fingerprint == whole.fingerprint


def test_stores_with_other_classes_and_sources_become_one(make_store):
    rows = make_rows(30)
    a = make_store(name="a.h5", rows=replace(rows, path=[f"a{i}.png" for i in range(30)]))
    head = make_head(classes=("zander", "bass"), text={}, source={"root": "/other", "layout": ""})
    labels = np.array([i % 2 for i in range(30)], np.int32)
    b = make_store(name="b.h5", head=head, rows=replace(rows, label=labels))
    assert merge_stores("all.json", [a.path, b.path]) == (60, 0)
    with FeatureStore.open("all.json") as store:
        assert store.classes == ["bass", "carpe é", "x", "zander"]
        names = [store.classes[label] for label in store.labels[30:34]]
        assert names == ["zander", "bass", "zander", "bass"]
        assert store.paths[0] == "/photos/a0.png"
        assert store.paths[30] == "/other/ü ß/日本.png"
        assert store.paths[34] == "/abs/a b"
        assert store.text_keys == []
    with pytest.raises(InputError, match="in all its files"):
        FeatureStore.open("all.json").text("single")


def test_merging_to_one_file_leaves_repeated_rows_out_and_refuses_contradictions(make_store):
    rows = make_rows(30)
    a = make_store(name="a.h5", rows=rows)
    b = make_store(name="b.h5", rows=replace(rows, path=[*rows.path[:10], *map(str, range(20))]))
    assert merge_stores("all.h5", [a.path, b.path]) == (50, 10)
    c = make_store(name="c.h5", rows=replace(rows, split=["train"] * 30))
    with pytest.raises(InputError, match=r"different things of 'a\\nb.png' \(split\)"):
        merge_stores("all.h5", [a.path, c.path])
    assert merge_stores("all.json", [a.path, c.path]) == (60, 0)


def test_two_encoders_do_not_mix(make_store):
    other = make_head(encoder={**ENCODER, "fingerprint": "0" * 16})
    stores = [make_store(name="a.h5").path, make_store(name="b.h5", head=other).path]
    with pytest.raises(StoreMismatchError, match="differ in encoder"):
        merge_stores("all.json", stores)
    stores[1] = make_store(name="c.h5", dtype=np.float16).path
    with pytest.raises(StoreMismatchError, match=r"differ in dtype \(float32 and float16\)"):
        merge_stores("all.h5", stores)
