"""Stores are found and told apart by their content."""

from __future__ import annotations

import os
import time

import h5py
import numpy as np
import pytest
from full_rows import ENCODER, make_head

from fishembed.cache import (
    FeatureStore,
    find_store,
    import_features,
    is_store,
    newest_store,
    open_store,
    shard_store,
)
from fishembed.cache.hdf5_store import Hdf5Store
from fishembed.cache.sharded_store import ShardedStore
from fishembed.errors import (
    InputError,
    StoreFormatError,
    StoreNotFoundError,
)


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "not a readable HDF5"), (b"PK\x03\x04" * 99, "not a readable HDF5")],
)
def test_other_files_are_refused(workspace, content, said):
    (workspace / "x.h5").write_bytes(content)
    with pytest.raises(StoreFormatError, match=said):
        FeatureStore.open(workspace / "x.h5")


def test_missing_stores_say_what_makes_one(workspace):
    for place in (workspace / "x.h5", workspace):
        with pytest.raises(StoreNotFoundError, match="'fishembed extract'"):
            FeatureStore.open(place)


def test_newest_store(workspace):
    with pytest.raises(StoreNotFoundError, match="no feature store in"):
        newest_store(workspace / "nowhere")
    for age, name in enumerate(["new.h5", "old.h5", ".hidden.h5"]):
        h5py.File(workspace / name, "w").close()
        os.utime(workspace / name, (time.time() - 100 * age - 9 * (name[0] == "o"),) * 2)
    os.utime(workspace / ".hidden.h5")
    (workspace / "other.txt").touch()
    (workspace / "other.json").write_text('{"format": "something"}')
    assert newest_store(workspace).name == "new.h5"
    (workspace / "index.json").write_text('{"format": "fishembed-index"}')
    assert newest_store(workspace).name == "index.json", "told by its content"


def test_links_that_lead_nowhere_and_pipes_are_no_stores(workspace):
    h5py.File(workspace / "a.h5", "w").close()
    (workspace / "gone.h5").symlink_to("nowhere.h5")
    os.mkfifo(workspace / "pipe.h5")
    (workspace / "folder.h5").mkdir()
    assert newest_store(workspace).name == "a.h5"
    assert find_store("pipe", workspace) is find_store("gone", workspace) is None
    for name in ("gone.h5", "pipe.h5"):
        with pytest.raises(StoreNotFoundError, match="no feature store at"):
            open_store(workspace / name)


def test_a_pipe_where_a_store_shall_be_written_is_refused_and_not_waited_for(workspace):
    os.mkfifo(workspace / "pipe.h5")
    with pytest.raises(InputError, match="a device or a pipe"):
        import_features({"features": np.eye(3)}, workspace / "pipe.h5")


def test_stores_are_told_by_content_and_not_by_name(make_file, workspace):
    path = make_file(20)
    shard_store(path, 7, workspace / "index.json")
    path.rename(workspace / "store.json")
    (workspace / "index.json").rename(workspace / "index.h5")
    (workspace / "index").rename(workspace / "moved")
    (workspace / "moved").rename(workspace / "index")
    with open_store(workspace / "store.json") as file, open_store(workspace / "index.h5") as index:
        assert (type(file), type(index)) == (Hdf5Store, ShardedStore)
        assert index.paths == file.paths
    with FeatureStore.open(workspace / "index.h5") as index:
        assert type(index) is ShardedStore
    for name, expected in (("store.json", True), ("index.h5", True), ("gone", False)):
        assert is_store(workspace / name) is expected
    (workspace / "image.h5").write_bytes(b"\xff\xd8\xff")
    (workspace / "run.json").write_text('{"format": "fishembed-run"}')
    assert not is_store(workspace / "image.h5")
    assert not is_store(workspace / "run.json")
    assert not is_store(workspace)


def test_several_paths_are_joined(make_file):
    other = make_head(encoder={**ENCODER, "fingerprint": "e" * 16})
    paths = make_file(5), make_file(5, "b.h5", head=other)
    with open_store(*paths) as store:
        assert store.dim == 10
    with pytest.raises(InputError, match="the same encoder"):
        open_store(paths[0], paths[0])
    with pytest.raises(InputError, match="0 store given"):
        open_store()
