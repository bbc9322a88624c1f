"""Crafted stores end in a sentence, when they are opened or when the part is read."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
from full_rows import make_vectors

from fishembed.cache import FeatureStore
from fishembed.cache.checksums import attributes_checksum, block_checksums
from fishembed.errors import StoreError, StoreFormatError

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
