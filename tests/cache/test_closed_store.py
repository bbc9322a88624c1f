from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from fishembed import import_features
from fishembed.cache import FeatureStore, is_store, merge_stores, open_store
from fishembed.errors import StoreClosedError, StoreLockedError

NAMES = [
    name
    for name in dir(FeatureStore)
    if not name.startswith("_") and name not in ("path", "stores", "close", "open", "register")
]


def make(place, encoder="a", seed=0):
    arrays = {
        "features": np.random.default_rng(seed).normal(size=(6, 8)).astype(np.float32),
        "labels": ["cod", "eel"] * 3,
        "groups": ["t1", "t1", "t2", "t2", "t3", "t3"],
        "paths": [f"{i}.jpg" for i in range(6)],
        "text_features": np.eye(2, 8),
    }
    return import_features(arrays, place, encoder=encoder)


@pytest.fixture(params=["file", "shards", "joined"])
def store(request, workspace):
    paths = [make(workspace / "a.h5")]
    if request.param == "shards":
        merge_stores(workspace / "all.json", [*paths, make(workspace / "b.h5", seed=1)])
        paths = [workspace / "all.json"]
    if request.param == "joined":
        paths.append(make(workspace / "b.h5", "b", seed=1))
    return open_store(*paths)


@pytest.mark.parametrize("looked_at_before", [False, True])
def test_a_closed_store_says_so_for_everything(store, looked_at_before):
    if looked_at_before:
        for name in ("paths", "labels", "groups", "classes", "features", "metadata"):
            getattr(store, name)
    store.close()
    for name in [*NAMES, "fingerprint", "encoder", "source", "has_trunk", "anything"]:
        with pytest.raises(StoreClosedError, match="is closed"):
            getattr(store, name)
    for use in (len, lambda one: one.__enter__(), lambda one: [*one.paths]):
        with pytest.raises(StoreClosedError, match="is closed"):
            use(store)
    assert "closed" in repr(store)
    assert store.path.name in {"a.h5", "all.json"}
    assert isinstance(store, FeatureStore)
    store.close()


def test_what_was_read_stays(store):
    X, y, rows = store.features[:], store.labels, store.features
    store.close()
    assert np.array_equal(rows[:], X)
    assert y.tolist() == [0, 1] * (len(y) // 2)


def test_rows_of_a_closed_file_are_not_another_files(workspace):
    with open_store(make(workspace / "a.h5")) as store:
        rows = store.feature_rows()
    with pytest.raises(StoreClosedError, match="is closed"):
        rows[:2]


@pytest.mark.parametrize("ends", ["", "; import os; os._exit(0)"], ids=["open", "died"])
def test_a_store_that_another_program_has_open_is_not_damaged(workspace, ends):
    place = make(workspace / "a.h5")
    code = f"import h5py; f = h5py.File({str(place)!r}, 'a'); print(1, flush=True){ends}; input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        other.stdout.readline()
        if ends:
            other.wait()
        with pytest.raises(StoreLockedError, match="open in another program") as caught:
            open_store(place)
        assert "move it away" not in str(caught.value)
        assert is_store(place)
        other.stdin.close()
