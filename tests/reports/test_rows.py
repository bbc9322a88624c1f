from __future__ import annotations

import numpy as np
import pytest

from fishembed.cache import FeatureStore, import_vectors
from fishembed.errors import InputError
from fishembed.reports.rows import divide, rows_to_score, split_counts, units


def store(tmp_path, splits=None, labels=None, groups=None) -> FeatureStore:
    labels = np.repeat([0, 1], 10) if labels is None else np.array(labels)
    arrays = {"features": np.random.default_rng(0).normal(size=(len(labels), 4)), "labels": labels}
    if splits is not None:
        arrays["splits"] = np.array(splits)
    if groups is not None:
        arrays["groups"] = np.array(groups)
    return FeatureStore.open(import_vectors(arrays, tmp_path / "s.h5"))


def test_own_splits_are_used(tmp_path):
    s = store(tmp_path, ["train"] * 12 + ["val"] * 3 + ["test"] * 5)
    division = divide(s, None, 0)
    assert [len(division.train), len(division.val), len(division.scored)] == [12, 3, 5]
    assert (division.split, division.note) == ("test", "")
    assert divide(s, "train", 0).scored.tolist() == list(range(12))


def test_val_is_scored_where_there_is_no_test(tmp_path):
    division = divide(store(tmp_path, ["train"] * 15 + ["val"] * 5), None, 0)
    assert division.split == "val"
    assert "no test split" in division.note


def test_without_splits_a_fifth_is_held_out_by_class(tmp_path):
    s = store(tmp_path)
    division = divide(s, None, 3)
    assert np.bincount(s.labels[division.scored]).tolist() == [2, 2]
    assert division.split == "holdout"
    assert "4 of 20 rows held out" in division.note
    assert "seed 3" in division.note
    assert set(division.train) | set(division.scored) == set(range(20))


def test_groups_stay_together(tmp_path):
    groups = [f"track{i // 2}" if i % 7 else "" for i in range(20)]
    s = store(tmp_path, groups=groups)
    division = divide(s, None, 0)
    held = {groups[i] for i in division.scored} - {""}
    assert not held & {groups[i] for i in division.train}
    assert "groups kept together" in division.note


def test_rows_without_a_group_are_their_own(tmp_path):
    s = store(tmp_path, groups=["a", "a", "", ""] + ["b"] * 16)
    assert len(set(units(s, np.arange(20)))) == 4
    assert units(store(tmp_path / "x"), np.arange(20)) is None


def test_unlabelled_rows_stay_out(tmp_path):
    s = store(tmp_path, ["train"] * 10 + ["test"] * 10, [0, 1] * 4 + [-1] * 4 + [0, 1] * 4)
    division = divide(s, None, 0)
    assert (len(division.train), len(division.scored)) == (8, 8)
    counts = {"train": 8, "val": 0, "test": 8, "none": 0, "unlabelled": 4}
    assert split_counts(s) == counts


def test_what_cannot_be_divided(tmp_path):
    with pytest.raises(InputError, match="rows in train only"):
        divide(store(tmp_path / "a", ["train"] * 20), None, 0)
    with pytest.raises(InputError, match="no labelled row in the split 'train'; it has test"):
        divide(store(tmp_path / "b", ["test"] * 20), None, 0)
    with pytest.raises(InputError, match="unknown: name one of"):
        divide(store(tmp_path / "c"), "holdout", 0)
    with pytest.raises(InputError, match="there is no 'val' to score"):
        divide(store(tmp_path / "c"), "val", 0)
    with pytest.raises(InputError, match="no labels"):
        divide(store(tmp_path / "d", labels=[-1] * 5), None, 0)


def test_zero_shot_scores_test_or_everything(tmp_path):
    rows, split = rows_to_score(store(tmp_path / "a", ["train"] * 15 + ["test"] * 5), None)
    assert (len(rows), split) == (5, "test")
    rows, split = rows_to_score(store(tmp_path / "b"), None)
    assert (len(rows), split) == (20, "all")
    rows, split = rows_to_score(store(tmp_path / "a", ["train"] * 15 + ["test"] * 5), "train")
    assert (len(rows), split) == (15, "train")
