"""One suite for the three implementations of a store: they answer every question alike.

Each holds the same 60 samples: in one file, in files behind an index, and beside a second
encoder's store of the same images.
"""

from __future__ import annotations

import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors

from fishembed.cache import (
    FeatureStore,
    Store,
    export_store,
    import_features,
    open_store,
    shard_store,
)
from fishembed.cache.hdf5_store import Hdf5Store
from fishembed.cache.joined_store import JoinedStore
from fishembed.cache.sharded_store import ShardedStore
from fishembed.errors import InputError

N = 60
KINDS = {"file": Hdf5Store, "shards": ShardedStore, "joined": JoinedStore}


def unit(X):
    return X / np.linalg.norm(X, axis=1, keepdims=True)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def open_kind(kind, make_file):
    """Return what makes a store of one kind and opens it."""
    opened = []

    def make(**options) -> Store:
        path = make_file(N, trunk=make_vectors(N, 7, seed=3), **options)
        paths = [path]
        if kind == "shards":
            shard_store(path, 17, path.with_suffix(".json"))
            paths = [path.with_suffix(".json")]
        if kind == "joined":
            other = make_head(encoder={**ENCODER, "name": "other", "fingerprint": "e" * 16})
            wide, wider = make_vectors(N, 4, seed=5), make_vectors(N, 6, seed=6)
            paths.append(make_file(N, "b.h5", head=other, vectors=wide, trunk=wider))
        opened.append(open_store(*paths))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def store(open_kind):
    return open_kind()


@pytest.fixture
def expected(kind):
    """The features that `store` holds, by kind."""
    image, trunk = make_vectors(N), make_vectors(N, 7, seed=3)
    if kind != "joined":
        return {"image": image, "trunk": trunk}
    others = make_vectors(N, 4, seed=5), make_vectors(N, 6, seed=6)
    pairs = {"image": (image, others[0]), "trunk": (trunk, others[1])}
    return {name: np.hstack([unit(a), unit(b)]) for name, (a, b) in pairs.items()}


def test_it_is_a_store_of_its_kind(store, kind):
    assert type(store) is KINDS[kind]
    assert isinstance(store, Store)
    assert isinstance(store, FeatureStore), "the public name covers every kind"
    assert len(store) == N
    assert repr(store).startswith("FeatureStore('")
    assert [type(one) for one in store.stores] == (
        [Hdf5Store, Hdf5Store] if kind == "joined" else [KINDS[kind]]
    )


def test_rows_are_those_that_were_written(store):
    rows = make_rows(N)
    assert (store.paths, store.digests, store.groups) == (rows.path, rows.digest, rows.group)
    assert store.splits.tolist() == rows.split
    names = [*make_head().classes, ""]
    assert [[*store.classes, ""][label] for label in store.labels] == [names[i] for i in rows.label]
    for name in ("path", "digest", "size", "mtime_ns", "split", "group"):
        np.testing.assert_array_equal(getattr(store.rows, name), getattr(rows, name))
        np.testing.assert_array_equal(store.column(name), getattr(rows, name))
    assert store.rows.size.dtype == store.rows.mtime_ns.dtype == np.int64
    assert store.labels.dtype == np.int32


@pytest.mark.parametrize("which", ["image", "trunk"])
def test_features_are_those_that_were_written(store, expected, which):
    matrix = store.features if which == "image" else store.trunk
    for rows in (matrix, store.feature_rows(which)):
        assert tuple(rows.shape) == expected[which].shape
        np.testing.assert_allclose(rows[:], expected[which], rtol=1e-6)
        np.testing.assert_allclose(rows[10:40], expected[which][10:40], rtol=1e-6)
        np.testing.assert_allclose(rows[[3, 50, 18]], expected[which][[3, 50, 18]], rtol=1e-6)
    found = store.embeddings([59, 0, 20], which)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, expected[which][[59, 0, 20]], rtol=1e-6)
    assert store.embeddings([], which).shape == (0, store.width(which))
    np.testing.assert_array_equal(store.vectors([5], which), store.embeddings([5], which))


def test_widths_and_kinds_of_features(store, expected):
    assert store.dim == store.width() == expected["image"].shape[1]
    assert store.width("trunk") == expected["trunk"].shape[1]
    assert (store.has_trunk, store.trunk_is_image) == (True, False)


@pytest.mark.parametrize("which", ["image", "trunk"])
def test_splits_are_the_labelled_rows(store, expected, which):
    rows = np.flatnonzero((store.labels >= 0) & (store.splits == "val"))
    np.testing.assert_array_equal(store.split_rows("val"), rows)
    X, y = store.split("val", which)
    lazy, lazy_labels = store.lazy_split("val", which)
    np.testing.assert_allclose(X, expected[which][rows], rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(lazy, np.float32), X)
    np.testing.assert_array_equal(y, store.labels[rows])
    np.testing.assert_array_equal(lazy_labels, y)
    assert len(store.split("all", which)[1]) == (store.labels >= 0).sum()


def test_a_split_that_is_not_there_says_which_are(store):
    for split in (store.split, store.lazy_split, store.split_rows):
        with pytest.raises(InputError, match="in the split 'nope'; it has test, val"):
            split("nope")


def test_features_of_two_spaces_have_two_identities(store):
    image, trunk = store.feature_fingerprint(), store.feature_fingerprint("trunk")
    assert image == store.encoder_fingerprint == store.encoder["fingerprint"]
    assert image != trunk
    assert len(store.fingerprint) == 16


def test_the_fingerprint_is_of_the_content(open_kind):
    same = open_kind(name="a.h5").fingerprint
    assert open_kind(name="c.h5").fingerprint == same
    changed = make_rows(N)
    changed.label[4] = 2
    assert open_kind(name="d.h5", rows=changed).fingerprint != same


def test_the_header_says_all_but_features_and_rows(store, kind):
    header = store.header
    assert sorted(header.classes) == sorted(make_head().classes)
    assert header.skipped == make_head().skipped
    assert (header.history, header.dropped) == ((), None)
    assert set(header.text) == set() if kind == "joined" else {"mine", "single"}
    assert set(store.text_keys) == set(header.text)
    assert store.source["root"] == "/photos"
    assert store.created
    assert "fishembed" in store.versions


def test_text_features_belong_to_their_classes(store, kind):
    if kind == "joined":
        with pytest.raises(InputError, match="name one store"):
            store.text("single")
        return
    text = store.text("mine")
    assert dict(zip(store.classes, text.names, strict=True)) == {
        "bass": "b",
        "carpe é": "c",
        "x": "x",
    }
    np.testing.assert_array_equal(text.features, make_vectors(3, seed=2))
    with pytest.raises(InputError, match="no text features 'other'"):
        store.text("other")


def test_damage_is_found(store, workspace):
    assert store.verify() == []
    store.close()
    path = workspace / "a/00001.h5" if type(store) is ShardedStore else workspace / "a.h5"
    raw = bytearray(path.read_bytes())
    raw[raw.index(make_vectors(N)[20].tobytes())] ^= 1
    path.write_bytes(raw)
    with open_store(*(one.path for one in store.stores)) as damaged:
        (found,) = damaged.verify()
    assert found.dataset == "features/image"
    assert found.first <= 20 <= found.last


def test_boxes_times_hashes_and_metadata_are_those_of_the_rows(store):
    rows = make_rows(N)
    np.testing.assert_array_equal(store.boxes, rows.box)
    np.testing.assert_array_equal(store.times, rows.time)
    np.testing.assert_array_equal(store.hashes, rows.hash)
    assert (store.boxes.dtype, store.times.dtype, store.hashes.dtype) == ("f4", "f8", "u1")
    assert list(store.metadata) == ["site/ü", "depth"]
    for name, column in rows.metadata.items():
        np.testing.assert_array_equal(store.metadata[name], column)


def test_a_table_has_every_row(store):
    table = store.to_pandas()
    columns = ["path", "label", "split", "group", "digest", "size", "mtime_ns"]
    further = ["x", "y", "width", "height", "time", "site/ü", "depth"]
    assert list(table) == [*columns, *further, "vector"]
    assert table["site/ü"].tolist() == store.metadata["site/ü"].tolist()
    np.testing.assert_array_equal(table["width"], store.boxes[:, 2])
    names = [None if label < 0 else store.classes[label] for label in store.labels]
    assert table["label"].tolist() == names
    np.testing.assert_array_equal(np.stack(table["vector"]), store.features[:])
    assert "vector" not in store.to_pandas(vectors=False)


def test_a_store_without_trunk_features_says_how_to_get_them(make_file, kind, workspace):
    path = make_file(4)
    if kind == "shards":
        shard_store(path, 2, workspace / "a.json")
        path = workspace / "a.json"
    with open_store(path) as store:
        assert not store.has_trunk
        for read in (lambda: store.trunk, lambda: store.split("val", "trunk")):
            with pytest.raises(InputError, match=r"no trunk features.*--trunk"):
                read()


def test_it_closes_with_its_block_and_keeps_what_it_gave(open_kind, expected):
    with open_kind() as store:
        X = store.embeddings(range(N))
    np.testing.assert_allclose(X, expected["image"], rtol=1e-6)


@pytest.mark.parametrize("name", ["out.npz", "folder"])
def test_what_is_exported_is_imported(store, workspace, name):
    if name == "folder":
        pytest.importorskip("pyarrow")
    export_store(store, workspace / name)
    with open_store(import_features(workspace / name, "back.h5")) as back:
        np.testing.assert_array_equal(back.features, store.features[:])
        assert (back.digests, back.groups) == (store.digests, store.groups)
        assert back.splits.tolist() == store.splits.tolist()
        if name == "out.npz":
            assert (back.paths, back.classes) == (store.paths, store.classes)
            np.testing.assert_array_equal(back.labels, store.labels)
            np.testing.assert_array_equal(back.trunk, store.trunk[:])
