"""Stores of every schema there ever was open in this version."""

from __future__ import annotations

import os
import re
from pathlib import Path

import h5py
import numpy as np
import pytest
from full_rows import make_head, make_rows, make_vectors
from hypothesis import given
from hypothesis import strategies as st

from fishembed.cache import FeatureStore, schema
from fishembed.cache.schema import decode_texts, encode_texts
from fishembed.errors import StoreFormatError

STORES = Path(__file__).parent / "stores"
"""`schema-<n>.h5`: 5 rows of `full_rows`, as the first version that wrote schema n did."""


def test_there_is_a_store_of_every_schema():
    numbers = [int(re.search(r"\d+", path.stem)[0]) for path in STORES.glob("schema-*.h5")]
    assert sorted(numbers) == list(range(1, schema.SCHEMA + 1))


@pytest.mark.parametrize("path", sorted(STORES.glob("schema-*.h5")), ids=lambda path: path.stem)
def test_it_says_what_it_always_said(path):
    with FeatureStore.open(path) as store:
        rows, head = make_rows(5), make_head()
        assert (store.paths, store.digests) == (rows.path, rows.digest)
        assert (store.splits.tolist(), store.groups) == (rows.split, rows.group)
        np.testing.assert_array_equal(store.labels, rows.label)
        np.testing.assert_array_equal(store.features, make_vectors(5))
        np.testing.assert_array_equal(store.trunk, make_vectors(5, 7))
        assert (store.header.classes, store.header.skipped) == (head.classes, head.skipped)
        assert store.encoder == head.encoder
        np.testing.assert_array_equal(store.text("single").features, head.text["single"].features)
        assert store.verify() == []
        expected = rows.metadata if path.stem > "schema-1" else {}
        assert list(store.metadata) == list(expected)
        if expected:
            assert store.rows.is_same(rows)
        else:
            assert np.isnan(store.boxes).all()
            assert np.isnan(store.times).all()
            assert not store.hashes.any()


@pytest.fixture
def older(make_file, monkeypatch):
    """Give a store two schemas ago: labels were called species, then kinds."""
    path = make_file(70)
    with h5py.File(path, "r+") as file:
        for group in ("", "checksums/"):
            file.move(f"{group}rows/label", f"{group}rows/species")
        file.attrs["schema"] = -1
        del file["checksums"].attrs["attributes"]

    def rename(old, new):
        def step(file):
            for group in ("", "checksums/"):
                file.move(f"{group}rows/{old}", f"{group}rows/{new}")

        return step

    steps = {-1: rename("species", "kind"), 0: rename("kind", "label"), 1: lambda _: None}
    monkeypatch.setattr(schema, "MIGRATIONS", steps)
    return path


def test_older_stores_go_up_step_by_step_and_stay_as_they_are(older):
    before = older.read_bytes()
    with FeatureStore.open(older) as store:
        np.testing.assert_array_equal(store.labels, make_rows(70).label)
        np.testing.assert_array_equal(store.features, make_vectors(70))
        assert store.verify() == []
        assert not store.features.flags.owndata, "vectors are not copied"
    assert older.read_bytes() == before


def test_a_step_that_is_missing_is_said(older, monkeypatch):
    monkeypatch.delitem(schema.MIGRATIONS, 0)
    with pytest.raises(StoreFormatError, match="has schema 0, which was never released"):
        FeatureStore.open(older)


def test_newer_stores_are_refused(make_file):
    path = make_file(3)
    with h5py.File(path, "r+") as file:
        file.attrs["schema"] = schema.SCHEMA + 1
    with pytest.raises(StoreFormatError, match=r"has schema 3; .* up to 2: pip install -U"):
        FeatureStore.open(path)


TEXTS = st.text(st.characters(exclude_categories=["Cs"])).filter(lambda t: not t.endswith("\0"))


@given(st.lists(st.one_of(TEXTS, st.binary().map(os.fsdecode)), max_size=9))
def test_any_text_that_a_file_can_be_called_comes_back(texts):
    texts = [text.rstrip("\0") for text in texts]
    assert decode_texts(encode_texts(texts)) == texts
