"""Several stores opened as one, put together and cut."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed.cache import FeatureStore, merge_stores, shard_store, store_lock
from fishembed.cache.lazy_rows import SelectedRows, StackedRows
from fishembed.errors import (
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreMismatchError,
    StoreNotFoundError,
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


def test_a_file_that_changed_or_left_is_named(make_store, workspace):
    store = make_store()
    shard_store(store.path, 100, "parted.json")
    part = workspace / "parted/00001.h5"
    part.write_bytes((workspace / "parted/00000.h5").read_bytes())
    with FeatureStore.open("parted.json") as opened:
        assert opened.features[:100].shape == (100, 5)  # the first file is sound
        with pytest.raises(StoreIntegrityError, match=r"00001.h5' was written since"):
            _ = opened.features[99:101]
    part.unlink()
    with FeatureStore.open("parted.json") as opened:
        assert len(opened) == 200
        with pytest.raises(StoreNotFoundError, match="00001"):
            _ = opened.labels


def test_damage_is_found_at_its_row(make_store, workspace):
    shard_store(make_store().path, 100, "parted.json")
    part = workspace / "parted/00001.h5"
    raw = bytearray(part.read_bytes())
    at = raw.index(make_vectors(200)[170].tobytes())
    raw[at] ^= 1
    part.write_bytes(raw)
    with FeatureStore.open("parted.json") as store:
        (found,) = store.verify()
    assert (found.dataset, found.first, found.last) == ("features/image", 164, 199)


def test_indexes_move_with_their_files(make_store, workspace):
    shard_store(make_store().path, 60, "parted.json")
    (workspace / "moved").mkdir()
    for name in ("parted.json", "parted"):
        (workspace / name).rename(workspace / "moved" / name)
    assert len(FeatureStore.open("moved/parted.json").paths) == 200


def test_what_is_no_index_says_why(make_store, workspace):
    (workspace / "a.json").write_text("{}")
    with pytest.raises(StoreFormatError, match="no index that"):
        FeatureStore.open("a.json")
    (workspace / "a.json").write_text("{")
    with pytest.raises(StoreFormatError, match="no index of stores"):
        FeatureStore.open("a.json")
    (workspace / "a.json").write_text(json.dumps({"format": "fishembed-index", "schema": 9}))
    with pytest.raises(StoreFormatError, match="schema 9; this version reads up to 1"):
        FeatureStore.open("a.json")
    (workspace / "a.json").write_text(json.dumps({"format": "fishembed-index", "schema": 1}))
    with pytest.raises(StoreFormatError, match="is damaged"):
        FeatureStore.open("a.json")
    with pytest.raises(InputError, match="is an index over several"), store_lock("a.json"):
        pass
    with pytest.raises(InputError, match=r"must end in .json"):
        shard_store(make_store().path, 10, "out.h5")
    with pytest.raises(InputError, match="rows=0"):
        shard_store(make_store().path, 0, "out.json")


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
