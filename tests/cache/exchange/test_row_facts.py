"""Boxes, times, hashes and metadata come back from every export, whatever they are called."""

from __future__ import annotations

import numpy as np
import pytest

from fishembed import import_features, open_store
from fishembed.cache import export_store, merge_stores, shard_store
from fishembed.cache.exchange.row_facts import further_arrays

NONE = np.nan
ARRAYS = {
    "features": np.random.default_rng(0).normal(size=(4, 6)).astype(np.float32),
    "labels": ["cod", "eel", "", "cod"],
    "paths": ["a.jpg#xywh=1,2,30,40.5", "a.jpg", "c.mp4#t=2.5", "d.jpg"],
    "splits": ["train", "", "test", "val"],
    "groups": ["a", "a", "", "007"],
    "boxes": np.array([[1, 2, 30, 40.5], *[[NONE] * 4] * 3], np.float32),
    "times": np.array([NONE, NONE, 2.5, NONE]),
    "hashes": np.arange(64, dtype=np.uint8).reshape(4, 16),
    # Names that other columns, or other programs' labels and paths, have as well.
    "metadata/label": ["x", "", "y", "z"],
    "metadata/species": ["Gadus", "Anguilla", "", "Gadus"],
    "metadata/image": ["i", "j", "k", ""],
    "metadata/box_x": ["far", "", "", "near"],
    "metadata/depth": np.array([1.5, NONE, 0.1, 30]),
    "metadata/trip": ["007", "008", "", "009"],
}


def facts(place):
    with open_store(place) as store:
        metadata = {name: np.asarray(one).tolist() for name, one in store.metadata.items()}
        names = [*store.classes, ""]
        return {
            "paths": store.paths,
            "labels": [names[label] for label in store.labels],
            "splits": store.splits.tolist(),
            "groups": store.groups,
            "boxes": np.asarray(store.boxes),
            "times": np.asarray(store.times),
            "hashes": np.asarray(store.hashes),
            **{f"metadata/{name}": column for name, column in sorted(metadata.items())},
        }


def assert_same(found, wanted):
    assert sorted(found) == sorted(wanted)
    for name, one in wanted.items():
        np.testing.assert_array_equal(found[name], one, err_msg=name)


@pytest.fixture
def store(workspace):
    return import_features(ARRAYS, "s.h5")


def test_an_import_has_all_of_them(store):
    found = facts(store)
    for name in ("boxes", "times", "hashes", "metadata/label", "metadata/depth"):
        np.testing.assert_array_equal(found[name], ARRAYS[name], err_msg=name)


@pytest.mark.parametrize("target", ["out.npz", "out.parquet", "folder"])
def test_they_come_back_from_an_export(store, target):
    if target != "out.npz":
        pytest.importorskip("pyarrow")
    with open_store(store) as opened:
        export_store(opened, target, shard_rows=3)
    wanted = facts(store)
    assert_same(facts(import_features(target, "again.h5")), wanted)


def test_they_come_through_shards_and_a_merge(store):
    shard_store(store, 3, "index.json")
    assert_same(facts("index.json"), facts(store))
    merge_stores("merged.h5", ["index.json"])
    assert_same(facts("merged.h5"), facts(store))


def test_another_programs_columns_are_metadata(workspace):
    (workspace / "t.csv").write_text(
        "f0,f1,species,label,site,times,video_time\n1,2,Gadus,cod,reef,3.5,soon\n3,4,,eel,,4,\n"
    )
    found = facts(import_features("t.csv", "t.h5"))
    assert found["labels"] == ["cod", "eel"]
    assert found["metadata/species"] == ["Gadus", ""]
    assert found["metadata/site"] == ["reef", ""]
    assert found["metadata/times"] == [3.5, 4.0]
    assert found["metadata/video_time"] == ["soon", ""]
    assert np.isnan(found["times"]).all()


def test_hours_of_the_day_are_no_times_in_a_video(workspace):
    arrays = {"features": np.eye(2), "paths": ["a.jpg", "b.jpg"], "times": [8.0, 9.5]}
    found = facts(import_features(arrays, "t.h5"))
    assert np.isnan(found["times"]).all()
    assert found["metadata/times"] == [8.0, 9.5]


def test_a_hash_that_is_none_is_metadata():
    found = further_arrays({"perceptual_hash": ["00ff", None]})
    assert list(found) == ["metadata/perceptual_hash"]
