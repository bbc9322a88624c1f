"""A store with everything in it."""

from __future__ import annotations

from pathlib import Path

import pytest
from full_rows import make_head, make_rows, make_vectors

from fishembed.cache import FeatureStore, write_store


@pytest.fixture
def make_store(workspace: Path):
    """Return what writes a store and opens it."""
    opened = []

    def make(n=200, name="a.h5", *, head=None, rows=None, vectors=None, **options):
        place = workspace / name
        rows = make_rows(n) if rows is None else rows
        vectors = make_vectors(len(rows)) if vectors is None else vectors
        write_store(place, head or make_head(), rows, vectors, **options)
        opened.append(FeatureStore.open(place))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


@pytest.fixture
def make_file(make_store):
    """Return what writes a store and returns its path."""

    def make(*args, **options) -> Path:
        store = make_store(*args, **options)
        store.close()
        return store.path

    return make
