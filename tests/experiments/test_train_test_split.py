from __future__ import annotations

import json

import numpy as np
import pytest
from message_log import MessageLog

from fishembed import run_fit
from fishembed.audit import split_store
from fishembed.cache import FeatureStore, import_vectors
from fishembed.errors import InputError
from fishembed.experiments.train_test_split import (
    row_groups,
    rows_to_score,
    split_counts,
    train_test_split,
)


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
    rows = train_test_split(s, None, 0)
    assert [len(rows.train), len(rows.val), len(rows.scored)] == [12, 3, 5]
    assert (rows.name, rows.note) == ("test", "")
    assert train_test_split(s, "train", 0).scored.tolist() == list(range(12))


def test_val_is_scored_where_there_is_no_test(tmp_path):
    rows = train_test_split(store(tmp_path, ["train"] * 15 + ["val"] * 5), None, 0)
    assert rows.name == "val"
    assert "no test split" in rows.note


def test_without_splits_a_fifth_is_held_out_by_class(tmp_path):
    s = store(tmp_path)
    rows = train_test_split(s, None, 3)
    assert np.bincount(s.labels[rows.scored]).tolist() == [2, 2]
    assert rows.name == "holdout"
    assert "4 of 20 rows held out" in rows.note
    assert "seed 3" in rows.note
    assert set(rows.train) | set(rows.scored) == set(range(20))


def test_groups_stay_together(tmp_path):
    groups = [f"track{i // 2}" if i % 7 else "" for i in range(20)]
    s = store(tmp_path, groups=groups)
    rows = train_test_split(s, None, 0)
    held = {groups[i] for i in rows.scored} - {""}
    assert not held & {groups[i] for i in rows.train}
    assert "groups kept together" in rows.note


def test_rows_without_a_group_are_their_own(tmp_path):
    s = store(tmp_path, groups=["a", "a", "", ""] + ["b"] * 16)
    assert len(set(row_groups(s, np.arange(20)))) == 4
    assert row_groups(store(tmp_path / "x"), np.arange(20)) is None


def test_unlabelled_rows_stay_out(tmp_path):
    s = store(tmp_path, ["train"] * 10 + ["test"] * 10, [0, 1] * 4 + [-1] * 4 + [0, 1] * 4)
    rows = train_test_split(s, None, 0)
    assert (len(rows.train), len(rows.scored)) == (8, 8)
    counts = {"train": 8, "val": 0, "test": 8, "none": 0, "unlabelled": 4}
    assert split_counts(s) == counts


def test_what_cannot_be_divided(tmp_path):
    with pytest.raises(InputError, match="rows in train only"):
        train_test_split(store(tmp_path / "a", ["train"] * 20), None, 0)
    with pytest.raises(InputError, match="no labelled row in the split 'train'; it has test"):
        train_test_split(store(tmp_path / "b", ["test"] * 20), None, 0)
    with pytest.raises(InputError, match="unknown: name one of"):
        train_test_split(store(tmp_path / "c"), "holdout", 0)
    with pytest.raises(InputError, match="there is no 'val' to score"):
        train_test_split(store(tmp_path / "c"), "val", 0)
    with pytest.raises(InputError, match="no labels"):
        train_test_split(store(tmp_path / "d", labels=[-1] * 5), None, 0)


def test_zero_shot_scores_test_or_everything(tmp_path):
    rows, split = rows_to_score(store(tmp_path / "a", ["train"] * 15 + ["test"] * 5), None)
    assert (len(rows), split) == (5, "test")
    rows, split = rows_to_score(store(tmp_path / "b"), None)
    assert (len(rows), split) == (20, "all")
    rows, split = rows_to_score(store(tmp_path / "a", ["train"] * 15 + ["test"] * 5), "train")
    assert (len(rows), split) == (15, "train")


def planted(place, *, near=0, identical=0, digests=True, **columns):
    """A store of two classes in which the first images are there again."""
    rng = np.random.default_rng(0)
    labels = np.arange(2).repeat(60)
    X = rng.standard_normal((2, 32))[labels] + rng.standard_normal((120, 32))
    rows = np.arange(0, 120, 120 // (near + identical) if near + identical else 120)
    rows = rows[: near + identical]
    noise = (
        rng.standard_normal((len(rows), 32)) * np.repeat([0.0, 0.01], [identical, near])[:, None]
    )
    names = [f"{i:064x}" for i in range(120)]
    names += [names[row] for row in rows[:identical]] + [
        f"{i:064x}" for i in range(500, 500 + near)
    ]
    arrays = {
        "features": np.concatenate([X, X[rows] + noise]).astype(np.float32),
        "labels": np.append(labels, labels[rows]),
        "paths": [f"{i:03d}.png" for i in range(120 + len(rows))],
        **({"digests": names} if digests else {}),
        **columns,
    }
    return import_vectors(arrays, place)


def warnings_of(place, **options):
    log = MessageLog()
    run = run_fit(place, head="centroid", progress=log, **options)
    return [line for line in log.messages if line.startswith("warning")], run


@pytest.mark.parametrize(("near", "identical"), [(40, 0), (0, 40), (20, 20)])
def test_copies_across_the_hold_out_are_warned_of(workspace, near, identical):
    place = planted(workspace / "cache/v.h5", near=near, identical=identical)
    [warning], run = warnings_of(place)
    with FeatureStore.open(place) as store:
        scored = {store.paths.index(path) for path in run.result.images.paths}
        rows = np.arange(0, 120, 3).tolist()
        partner = dict(zip([*rows, *range(120, 160)], [*range(120, 160), *rows], strict=True))
        same = {row for row in scored if row in partner and partner[row] not in scored}
        bytes_same = {row for row in same if store.digests[row] == store.digests[partner[row]]}
    told = json.loads((run.folder / "run.json").read_text())["leaks"]
    assert told["scored"] == len(scored)
    assert (told["identical"], told["near_duplicate"]) == (
        len(bytes_same),
        len(same) - len(bytes_same),
    )
    assert f"warning: {len(same)} of the {len(scored)} scored images" in warning
    assert ("--group-duplicates" in warning) == bool(near)


@pytest.mark.parametrize(("near", "identical"), [(40, 0), (0, 40)])
def test_the_offered_split_leaves_none(workspace, near, identical):
    place = planted(workspace / "cache/v.h5", near=near, identical=identical)
    [warning], _ = warnings_of(place)
    split_store(place, group_duplicates="--group-duplicates" in warning)
    assert warnings_of(place)[0] == []


def test_without_copies_nothing_is_said(workspace):
    assert warnings_of(planted(workspace / "cache/v.h5"))[0] == []


def test_rows_that_are_scored_though_trained_on_are_no_copies(workspace):
    place = planted(workspace / "cache/v.h5")
    said, run = warnings_of(place, split="train")
    assert said == []
    assert run.info["leaks"]["scored"] == 0


def test_large_stores_are_compared_by_bytes_only(workspace, monkeypatch):
    monkeypatch.setattr("fishembed.experiments.train_test_split.MOST_ROWS", 100)
    place = planted(workspace / "cache/v.h5", near=20, identical=20)
    [warning], run = warnings_of(place)
    assert "nearly" not in warning
    assert run.info["leaks"]["cosine"] is None
