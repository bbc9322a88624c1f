"""An index over files that move, change, break or go."""

from __future__ import annotations

import json

import numpy as np
import pytest
from full_rows import make_vectors

from fishembed.cache import (
    FeatureStore,
    shard_store,
    store_lock,
)
from fishembed.errors import (
    InputError,
    StoreError,
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
    (workspace / "a.json").write_text('{"format": ' + "[" * 100_000)
    with pytest.raises(StoreFormatError, match="no index of stores"):
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


def changed(index: dict, path: tuple, value: object) -> dict:
    """Change one value inside an index."""
    *above, last = path
    inner = index
    for key in above:
        inner = inner[key]
    inner[last] = value
    return index


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("stores", 1, "rows"), 41),
        (("stores", 0, "path"), "parted/00001.h5"),
        (("dim",), 4),
        (("classes",), ["bass", "x", "carpe é"]),
        (("dtype",), "float16"),
        (("text_keys",), []),
    ],
)
def test_an_index_that_was_changed_is_refused(make_store, workspace, path, value):
    shard_store(make_store().path, 60, "parted.json")
    index = json.loads((workspace / "parted.json").read_text())
    (workspace / "parted.json").write_text(json.dumps(index))
    with FeatureStore.open("parted.json") as store:
        assert store.verify() == [], "another layout of the same JSON is the same index"
    (workspace / "parted.json").write_text(json.dumps(changed(index, path, value)))
    with pytest.raises(StoreIntegrityError, match="is not as it was written: 'fishembed merge'"):
        FeatureStore.open("parted.json")


@pytest.mark.parametrize(
    ("path", "value"), [(("stores", 1, "rows"), 41), (("dim",), 4), (("dtype",), "float16")]
)
def test_an_index_without_a_checksum_is_held_against_its_files(make_store, workspace, path, value):
    shard_store(make_store().path, 60, "parted.json")
    index = json.loads((workspace / "parted.json").read_text())
    del index["checksum"]  # as 0.1.0 wrote them
    (workspace / "parted.json").write_text(json.dumps(index))
    with FeatureStore.open("parted.json") as store:
        assert (len(store), store.verify()) == (200, [])
    (workspace / "parted.json").write_text(json.dumps(changed(index, path, value)))
    with FeatureStore.open("parted.json") as store:
        for read in (store.verify, lambda: store.labels, lambda: store.features[:]):
            with pytest.raises(StoreIntegrityError, match="was written since"):
                read()


def test_every_flipped_byte_of_an_index_is_found_or_changes_nothing(make_store, workspace):
    shard_store(make_store().path, 60, "parted.json")
    path = workspace / "parted.json"
    whole = path.read_bytes()
    with FeatureStore.open(path) as store:
        expected = said(store)
    for at in np.random.default_rng(0).integers(0, len(whole), 150):
        raw = bytearray(whole)
        raw[at] ^= 1 << (int(at) % 8)
        path.write_bytes(raw)
        try:
            with FeatureStore.open(path) as store:
                assert said(store) == expected
        except StoreError:
            pass


def said(store):
    columns = [store.paths, store.groups, store.skipped, store.classes, store.labels.tolist()]
    return columns, store.features[:].tobytes()
