"""A store of an older schema is continued: nothing is encoded again, nothing is lost."""

from __future__ import annotations

import shutil
from pathlib import Path

import h5py
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed.cache import FeatureStore
from fishembed.cache.schema import SCHEMA
from fishembed.extraction import extract

WRITTEN = Path(__file__).parent.parent / "data" / "written_by_schema_1"
"""Six images, of which one was dropped and one has another label since, and their store."""


@pytest.fixture
def older(workspace):
    shutil.copytree(WRITTEN, workspace / "older")
    return workspace / "older"


def test_it_is_continued_with_nothing_encoded_again(older):
    store, encoder = older / "store.h5", FakeEncoder(width=6)
    with h5py.File(store) as file:
        assert file.attrs["schema"] == 1
    with FeatureStore.open(store) as opened:
        before = dict(zip(opened.paths, opened.features[:], strict=True))
        trunk = opened.trunk[:]
        assert opened.metadata == {}
    done = extract(older / "photos", store, encoder=encoder)
    assert (done.encoded, done.rows, encoder.seen) == (0, 5, 0)
    with FeatureStore.open(store) as opened:
        assert opened.verify() == []
        np.testing.assert_array_equal(opened.features, list(before.values()))
        np.testing.assert_array_equal(opened.trunk, trunk)
        assert opened.paths == list(before)
        assert opened.classes[opened.labels[opened.paths.index("train/bass/00.png")]] == "carp_b"
        assert opened.dropped.path == ["train/carp_b/01.png"]


def test_a_new_image_brings_this_schema(older):
    store, encoder = older / "store.h5", FakeEncoder(width=6)
    draw(older / "photos/train/bass/99.png", 99)
    assert extract(older / "photos", store, encoder=encoder).encoded == encoder.seen == 1
    with h5py.File(store) as file:
        assert file.attrs["schema"] == SCHEMA
    with FeatureStore.open(store) as opened:
        assert opened.verify() == []
        assert len(opened) == 6
