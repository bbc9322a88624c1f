"""Stores with planted faults."""

from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from planted import planted_photos

from fishembed.cache import FeatureStore, import_vectors
from fishembed.extraction import extract


@pytest.fixture
def planted(workspace):
    """Give photos with copies across the splits, and their store."""
    photos = planted_photos(workspace / "photos")
    extract(photos.root, "cache/photos.h5", encoder=FakeEncoder(64))
    with FeatureStore.open("cache/photos.h5") as store:
        yield photos, store


@pytest.fixture
def vectors_store(workspace):
    """Give what makes a store of vectors around class means."""

    def make(counts, *, dim=16, spread=0.35, seed=0, name="vectors", **columns):
        rng = np.random.default_rng(seed)
        labels = np.repeat(np.arange(len(counts)), counts)
        means = rng.standard_normal((len(counts), dim))
        vectors = means[labels] + spread * rng.standard_normal((len(labels), dim))
        arrays = {"features": vectors.astype(np.float32), "labels": labels, **columns}
        arrays.setdefault("paths", [f"{i:04d}.png" for i in range(len(labels))])
        return import_vectors(arrays, workspace / f"cache/{name}.h5")

    return make
