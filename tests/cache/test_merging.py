"""Stores put together and cut."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from full_rows import ENCODER, make_head, make_rows, make_vectors

from fishembed.cache import (
    FeatureStore,
    import_features,
    merge_stores,
    open_store,
    shard_store,
)
from fishembed.errors import (
    InputError,
    StoreMismatchError,
    StoreWriteError,
)


def said(store):
    columns = [getattr(store, name) for name in ("paths", "digests", "groups", "skipped")]
    labels = [store.classes[label] if label >= 0 else "" for label in store.labels]
    return (*columns, labels, store.splits.tolist(), store.features[:].tobytes())


@pytest.mark.parametrize("rows", [41, 64, 1000])
def test_a_cut_store_says_what_the_whole_one_does(make_store, workspace, rows):
    whole = make_store(200, trunk=make_vectors(200, 3, seed=9), dtype=np.float16)
    assert shard_store(whole.path, rows, "parted.json") == -(-200 // rows)
    with FeatureStore.open("parted.json") as store:
        assert said(store) == said(whole)
        assert store.trunk[:].tobytes() == whole.trunk.tobytes()
        assert (store.features.shape, store.features.dtype) == ((200, 5), np.float16)
        assert store.verify() == []
        assert store.text("mine").names == whole.text("mine").names
        np.testing.assert_array_equal(store.text("single").features, whole.text("single").features)
        X, y = store.split("val")
        expected, labels = whole.split("val")
        np.testing.assert_array_equal(X, expected)
        np.testing.assert_array_equal(y, labels)
        lazy, lazy_labels = store.lazy_split("val")
        np.testing.assert_array_equal(np.asarray(lazy, np.float32), expected)
        np.testing.assert_array_equal(lazy_labels, labels)
        assert len(store.to_pandas()) == 200
    merge_stores("again.h5", ["parted.json"])
    with FeatureStore.open("again.h5") as store:
        assert said(store) == said(whole)
        assert store.fingerprint == whole.fingerprint


def test_stores_with_other_classes_and_sources_become_one(make_store):
    rows = make_rows(30)
    a = make_store(name="a.h5", rows=replace(rows, path=[f"a{i}.png" for i in range(30)]))
    head = make_head(classes=("zander", "bass"), text={}, source={"root": "/other", "layout": ""})
    labels = np.array([i % 2 for i in range(30)], np.int32)
    b = make_store(name="b.h5", head=head, rows=replace(rows, label=labels))
    assert merge_stores("all.json", [a.path, b.path]) == (60, 0)
    with FeatureStore.open("all.json") as store:
        assert store.classes == ["bass", "carpe é", "x", "zander"]
        names = [store.classes[label] for label in store.labels[30:34]]
        assert names == ["zander", "bass", "zander", "bass"]
        assert store.paths[0] == "/photos/a0.png"
        assert store.paths[30] == "/other/ü ß/日本.png"
        assert store.paths[34] == "/abs/a b"
        assert store.text_keys == []
    with pytest.raises(InputError, match="in all its files"):
        FeatureStore.open("all.json").text("single")


def test_merging_to_one_file_leaves_repeated_rows_out_and_refuses_contradictions(make_store):
    rows = make_rows(30)
    a = make_store(name="a.h5", rows=rows)
    b = make_store(name="b.h5", rows=replace(rows, path=[*rows.path[:10], *map(str, range(20))]))
    assert merge_stores("all.h5", [a.path, b.path]) == (50, 10)
    c = make_store(name="c.h5", rows=replace(rows, split=["train"] * 30))
    with pytest.raises(InputError, match=r"different things of 'a\\nb.png' \(split\)"):
        merge_stores("other.h5", [a.path, c.path])
    assert merge_stores("all.json", [a.path, c.path]) == (60, 0)


def test_two_encoders_do_not_mix(make_store):
    other = make_head(encoder={**ENCODER, "fingerprint": "0" * 16})
    stores = [make_store(name="a.h5").path, make_store(name="b.h5", head=other).path]
    with pytest.raises(StoreMismatchError, match="differ in encoder"):
        merge_stores("all.json", stores)
    stores[1] = make_store(name="c.h5", dtype=np.float16).path
    with pytest.raises(StoreMismatchError, match=r"differ in dtype \(float32 and float16\)"):
        merge_stores("all.h5", stores)


def snapshot(folder):
    """All files below a folder, by path."""
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_index_is_not_cut_again_onto_itself(make_file, workspace):
    shard_store(make_file(200), 60, "s.json")
    before = snapshot(workspace)
    for rows in (60, 7, 1000):
        with pytest.raises(InputError, match=r"'s\.json' is there already"):
            shard_store("s.json", rows, "s.json")
        assert snapshot(workspace) == before
    (workspace / "s.json").unlink()
    with pytest.raises(InputError, match="'s' is there already"):
        shard_store(workspace / "a.h5", 10, "s.json")
    assert shard_store(workspace / "a.h5", 10, "t.json") == 20


@pytest.mark.parametrize("failing", [1, 3, 4, 5])
def test_a_cut_that_breaks_off_leaves_nothing(make_file, workspace, monkeypatch, failing):
    path = make_file(200)
    before = snapshot(workspace)
    calls = []

    def break_off(*args, **options):
        calls.append(args)
        if len(calls) == failing:
            raise OSError(errno.ENOSPC, "No space left on device")
        return replace_file(*args, **options)

    replace_file = os.replace
    monkeypatch.setattr(os, "replace", break_off)
    with pytest.raises(StoreWriteError, match="No space"):
        shard_store(path, 60, "s.json")
    assert snapshot(workspace) == before
    monkeypatch.undo()
    monkeypatch.chdir(workspace)
    assert shard_store(path, 60, "s.json") == 4
    with open_store("s.json") as store:
        assert (len(store), store.verify()) == (200, [])


@pytest.mark.parametrize("content", ["store", "index", "text"])
def test_merging_takes_the_place_of_no_store_and_no_foreign_file(make_file, workspace, content):
    paths = make_file(30), make_file(30, "b.h5")
    if content == "store":
        make_file(9, "there.h5")
    elif content == "index":
        merge_stores("there.json", paths)
        (workspace / "there.json").rename(workspace / "there.h5")
    else:
        (workspace / "there.h5").write_text("notes")
    (workspace / "there.json").write_text('{"my": "settings"}')
    before = snapshot(workspace)
    for target in ("there.h5", "there.json", "a.h5"):
        with pytest.raises(InputError, match="is there already: give another name"):
            merge_stores(target, paths)
        assert snapshot(workspace) == before


def test_an_index_is_listed_again_but_never_lists_itself(make_file, workspace):
    a, b = make_file(30), make_file(20, "b.h5")
    assert merge_stores("all.json", [a]) == (30, 0)
    assert merge_stores("all.json", [a, b]) == (50, 0)
    assert merge_stores("outer.json", ["all.json"]) == (50, 0)
    (workspace / "link.json").symlink_to(workspace / "all.json")
    before = snapshot(workspace)
    for sources in (["all.json", "all.json"], [a, "all.json"], ["outer.json"], ["link.json"]):
        with pytest.raises(InputError, match=r"'all\.json' is among the stores to merge"):
            merge_stores("all.json", sources)
        assert snapshot(workspace) == before


def test_a_folder_that_another_process_filled_meanwhile_is_left_alone(
    make_file, workspace, monkeypatch
):
    path = make_file(200)
    rename = os.rename

    def too_late(source, target, **options):
        (workspace / "s").mkdir()
        (workspace / "s/theirs").touch()
        return rename(source, target, **options)

    monkeypatch.setattr(os, "rename", too_late)
    with pytest.raises(StoreWriteError, match="cannot write 's'"):
        shard_store(path, 60, "s.json")
    assert sorted(path.name for path in workspace.rglob("*")) == ["a.h5", "s", "theirs"]


KILLED = """
import os, sys
from fishembed.cache import merge_stores, shard_store

verb, last = sys.argv[1], int(sys.argv[2])
calls = 0

def killing(function):
    def counted(*args, **options):
        global calls
        calls += 1
        if calls > last:
            os._exit(9)
        return function(*args, **options)
    return counted

for name in ("fsync", "replace", "rename", "unlink"):
    setattr(os, name, killing(getattr(os, name)))
if verb == "shard":
    shard_store("a.h5", 60, "target.json")
else:
    merge_stores("target.h5" if verb == "merge" else "target.json", ["a.h5", "b.h5"])
"""


@pytest.mark.parametrize("last", [0, 1, 2, 4, 7, 13, 20])
@pytest.mark.parametrize("verb", ["shard", "merge", "index"])
def test_a_kill_leaves_the_old_or_the_new_whole(make_file, workspace, verb, last):
    make_file(200)
    make_file(90, "b.h5")
    if verb == "index":
        merge_stores("target.json", ["a.h5"])
    before = snapshot(workspace)
    call = [sys.executable, "-c", KILLED, verb, str(last)]
    done = subprocess.run(call, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 9), done.stderr
    after = snapshot(workspace)
    target = workspace / ("target.h5" if verb == "merge" else "target.json")
    for path, content in before.items():
        assert path == target or after[path] == content
    lengths = {"shard": (200,), "merge": (200,), "index": (200, 290)}[verb]
    if target.exists():
        with open_store(target) as store:
            assert len(store) in lengths
            assert store.verify() == []
    else:
        assert done.returncode == 9
        assert verb != "index"


def test_what_only_a_repeated_row_says_is_not_lost(workspace):
    X = np.eye(3, dtype=np.float32)
    known = {"features": X, "paths": ["a", "b", "c"], "labels": ["cod", "eel", "cod"]}
    import_features({**known, "metadata/site": ["reef", "", ""]}, "a.h5")
    hashes = np.full((3, 16), 7, np.uint8)
    second = {**known, "metadata/site": ["reef", "bay", ""], "metadata/depth": [1.0, 2.0, np.nan]}
    import_features({**second, "hashes": hashes}, "b.h5")
    assert merge_stores("both.h5", ["a.h5", "b.h5"]) == (3, 3)
    with open_store("both.h5") as store:
        assert store.metadata["site"].tolist() == ["reef", "bay", ""]
        np.testing.assert_array_equal(store.metadata["depth"], [1, 2, np.nan])
        assert np.array_equal(store.hashes, hashes)


def test_rows_whose_metadata_contradict_are_refused(workspace):
    known = {"features": np.eye(2), "paths": ["a", "b"]}
    import_features({**known, "metadata/site": ["reef", ""]}, "a.h5")
    import_features({**known, "metadata/site": ["bay", ""]}, "b.h5")
    with pytest.raises(InputError, match=r"different things of 'a' \(site\)"):
        merge_stores("both.h5", ["a.h5", "b.h5"])
