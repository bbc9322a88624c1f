"""Crafted stores end in a sentence, when they are opened or when the part is read."""

from __future__ import annotations

import json
from dataclasses import replace

import h5py
import numpy as np
import pytest
from full_rows import make_head, make_vectors

from fishembed.cache import Damage, FeatureStore, Rows
from fishembed.cache.validation import attributes_checksum, block_checksums, find_damage
from fishembed.errors import StoreError, StoreFormatError, StoreIntegrityError

DEEP = "[" * 100_000 + "]" * 100_000
CRAFTED = {
    "features of one dimension": ("features/image", np.zeros(9, np.float32)),
    "features of integers": ("features/image", np.zeros((9, 5), np.int32)),
    "features of another length": ("features/trunk", np.zeros((8, 5), np.float32)),
    "features of text": ("features/image", np.full((9, 5), b"x")),
    "labels beyond the classes": ("rows/label", np.full(9, 77, np.int32)),
    "labels below none": ("rows/label", np.full(9, -2, np.int32)),
    "labels of float": ("rows/label", np.zeros(9)),
    "labels of two dimensions": ("rows/label", np.zeros((9, 2), np.int32)),
    "paths of numbers": ("rows/path", np.zeros(9)),
    "too few paths": ("rows/path", np.full(8, b"x")),
    "digests that are none": ("rows/digest", np.full(9, b"xyz")),
    "unknown splits": ("rows/split", np.full(9, b"training")),
    "classes that are one": ("classes", np.bytes_(b"cod")),
    "classes of numbers": ("classes", np.zeros(3)),
    "uneven skipped": ("skipped/reason", np.full(77, b"x")),
    "text features of other classes": ("text/single/features", np.zeros((1, 5), np.float32)),
    "history that is text": ("history", np.bytes_(b"x")),
    "dropped that is a number": ("dropped", np.int64(3)),
    "encoder that is a list": ("@encoder", "[]"),
    "encoder nested too deep": ("@encoder", DEEP),
    "encoder of numbers": ("@encoder", json.dumps({"name": 3})),
    "source that is null": ("@source", "null"),
    "source root that is a list": ("@source", json.dumps({"root": []})),
    "extraction that is half": ("@extraction", json.dumps({"when": "today"})),
    "versions that are text": ("@versions", '"1"'),
    "schema that is text": ("@schema", "two"),
    "schema of many": ("@schema", np.zeros(5)),
    "schema below zero": ("@schema", -5),
}


def craft(path, name, value):
    """Replace a part of a store, with checksums that hold."""
    with h5py.File(path, "r+") as file:
        if name.startswith("@"):
            file.attrs[name[1:]] = value if not isinstance(value, str) else np.bytes_(value)
        else:
            if name in file:
                del file[name]
            if name == "text/single/features" or np.ndim(value):
                file.pop(f"checksums/{name}", None)
                sums = block_checksums(np.asarray(value))
                file.create_dataset(f"checksums/{name}", data=sums)
            file[name] = value
        if "attributes" in file["checksums"].attrs:
            file["checksums"].attrs["attributes"] = attributes_checksum(file.attrs)


@pytest.mark.parametrize("kind", CRAFTED)
def test_a_crafted_store_ends_in_a_sentence(make_file, kind):
    path = make_file(9, trunk=make_vectors(9, 5))
    craft(path, *CRAFTED[kind])
    with pytest.raises(StoreError) as caught:
        read_all(path)
    assert len(str(caught.value)) < 500
    assert isinstance(caught.value, ValueError)


def read_all(path):
    with FeatureStore.open(path) as store:
        _ = store.header, store.rows, store.features, store.trunk, store.metadata


def test_a_group_in_place_of_a_data_set_is_said(make_file):
    path = make_file(9)
    with h5py.File(path, "r+") as file:
        del file["rows/path"]
        file.create_group("rows/path/x")
    with pytest.raises(StoreFormatError, match="'rows/path' is no data set"):
        FeatureStore.open(path)


def flip(path, at, bit=0):
    raw = bytearray(path.read_bytes())
    raw[at] ^= 1 << bit
    path.write_bytes(raw)


def block_of(path, dataset):
    with h5py.File(path) as file:
        return file[dataset].id.get_offset(), file[dataset].nbytes, len(file[dataset])


@pytest.mark.parametrize("dataset", ["features/image", "features/trunk"])
def test_every_flipped_byte_of_vectors_is_found_and_its_rows_named(make_file, dataset):
    path = make_file(trunk=make_vectors(200, 7))
    whole = path.read_bytes()
    start, size, n = block_of(path, dataset)
    for at in np.random.default_rng(0).integers(0, size, 120):
        path.write_bytes(whole)
        flip(path, start + int(at), int(at) % 8)
        row = int(at) // (size // n)
        first = row // 64 * 64
        with FeatureStore.open(path) as damaged:
            assert damaged.verify() == [Damage(dataset, first, min(first + 63, n - 1))]


@pytest.mark.parametrize(
    "dataset",
    [
        *(f"rows/{name}" for name in Rows.__dataclass_fields__ if name != "metadata"),
        *("metadata/site%2Fü", "metadata/depth", "metadata_names"),
        *("classes", "skipped/path", "skipped/reason"),
        *(f"text/single/{name}" for name in ("features", "names", "templates")),
    ],
)
def test_a_flipped_byte_of_any_column_is_found(make_file, dataset):
    path = make_file()
    start, size, _ = block_of(path, dataset)
    for at in {0, size // 2, size - 1}:
        flip(path, start + at)
        with FeatureStore.open(path) as damaged:
            assert {one.dataset for one in damaged.verify()} == {dataset}
        flip(path, start + at)


def test_a_flipped_byte_anywhere_is_found_or_refused_or_changes_nothing(make_file):
    path = make_file(70)
    whole = path.read_bytes()
    with FeatureStore.open(path) as store:
        vectors, head, rows, mark = (
            store.features.copy(),
            store.header,
            store.rows,
            store.fingerprint,
        )
        about = (store.created, store.versions)
    outcomes = {"refused": 0, "found": 0, "nothing": 0}
    rng = np.random.default_rng(0)
    for at in rng.choice(len(whole), 300, replace=False):
        path.write_bytes(whole)
        flip(path, int(at), int(rng.integers(8)))
        try:
            with FeatureStore.open(path) as opened:
                if opened.verify():
                    outcomes["found"] += 1
                    continue
                now = opened.header
                assert (now.encoder, now.source) == (head.encoder, head.source)
                assert (now.classes, now.skipped) == (head.classes, head.skipped)
                assert (opened.paths, opened.fingerprint) == (rows.path, mark)
                assert (opened.created, opened.versions) == about
                np.testing.assert_array_equal(opened.labels, rows.label)
                np.testing.assert_array_equal(opened.features, vectors)
                outcomes["nothing"] += 1
        except StoreError:
            outcomes["refused"] += 1
    assert outcomes["found"] > 150
    assert outcomes["refused"] > 30


def test_a_changed_attribute_is_found(make_file):
    path = make_file(3)
    with h5py.File(path, "r+") as file:
        file.attrs["created"] = "yesterday"
    with pytest.raises(StoreIntegrityError, match="is damaged in 'attributes': 'fishembed info"):
        FeatureStore.open(path)
    with FeatureStore.open(path, check=False) as opened:
        assert opened.created == "yesterday"
        assert opened.verify() == [Damage("attributes", 0, 0)]


def test_text_of_the_file_lies_where_hdf5_checks_it(make_file):
    text = make_head().text["single"]
    head = make_head(text={"single": replace(text, tower="a" * 16)})
    assert b"GCOL" not in make_file(head=head).read_bytes(), "HDF5's heap has no checksums"


def test_neighbouring_blocks_are_named_as_one():
    array = make_vectors(300)
    sums = block_checksums(array)
    array[[0, 70, 260]] += 1
    assert find_damage("x", array, sums) == [Damage("x", 0, 127), Damage("x", 256, 299)]
    assert find_damage("x", array, sums[:-1]) == [Damage("x", 0, 299)]


def test_checksums_do_not_depend_on_how_rows_lie_in_memory():
    array = make_vectors(130)
    np.testing.assert_array_equal(block_checksums(np.asfortranarray(array)), block_checksums(array))
    np.testing.assert_array_equal(
        block_checksums(array),
        np.concatenate([block_checksums(array[:64]), block_checksums(array[64:])]),
    )


READS = {
    "features/image": lambda store: store.features[:],
    "features/trunk": lambda store: store.feature_rows("trunk")[3:5],
    "rows/path": lambda store: store.paths,
    "rows/label": lambda store: store.labels,
    "rows/split": lambda store: store.splits,
    "classes": lambda store: store.classes,
    "text/single/features": lambda store: store.text("single"),
}


@pytest.mark.parametrize("name", READS)
def test_what_is_read_is_compared_with_its_checksums(make_file, name):
    path = make_file(70, trunk=make_vectors(70, 6))
    with h5py.File(path) as file:
        place = file[name].id.get_offset()
    raw = bytearray(path.read_bytes())
    raw[place] ^= 1
    path.write_bytes(raw)
    with (
        FeatureStore.open(path) as store,
        pytest.raises(StoreIntegrityError, match=f"is damaged in '{name}', rows 0 to"),
    ):
        READS[name](store)
    with FeatureStore.open(path, check=False) as store:
        READS[name](store)


def test_features_that_are_not_finite_are_refused_also_with_good_checksums(make_file):
    path = make_file(70)
    with h5py.File(path, "r+") as file:
        file["features/image"][66, 1] = np.nan
        file["checksums/features/image"][...] = block_checksums(file["features/image"][()])
    for read in (lambda store: store.features, lambda store: store.feature_rows()):
        with (
            FeatureStore.open(path) as store,
            pytest.raises(StoreIntegrityError, match="row 66 of 'features/image' is not finite"),
        ):
            read(store)
