"""An index over files that move, change, break or go."""

from __future__ import annotations

import json

import pytest
from full_rows import make_vectors

from fishembed.cache import (
    FeatureStore,
    shard_store,
    store_lock,
)
from fishembed.errors import (
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreNotFoundError,
)


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
