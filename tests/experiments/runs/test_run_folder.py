from __future__ import annotations

import csv
import json
import shutil

import numpy as np
import pytest
from fish_store import fish_store

from fishembed import FeatureStore, Run, import_vectors, predict_run, run_fit, run_zeroshot
from fishembed.errors import RunError, RunFormatError, RunNotFoundError, StoreNotFoundError
from fishembed.experiments import fit, newest_run, save_run, score_zeroshot


@pytest.fixture
def store(workspace):
    return fish_store("cache/fish.h5")


def test_a_run_is_never_overwritten(store):
    run_fit(store, run="mine")
    with pytest.raises(RunError, match="there already"):
        run_fit(store, run="mine")


def test_newest_run_and_broken_runs(store, workspace):
    with pytest.raises(RunNotFoundError, match="no run in"):
        newest_run("reports")
    run_fit(store, run="one")
    run_fit(store, run="two")
    (workspace / "reports" / "other").mkdir()
    (workspace / "reports" / "other" / "run.json").write_text('{"format": "of another program"}')
    (workspace / "reports" / "gone").symlink_to("nowhere")
    assert newest_run("reports").name == "two"
    with pytest.raises(RunNotFoundError, match="no run at"):
        Run.open("reports/three")
    file = workspace / "reports" / "one" / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "schema": 99}))
    with pytest.raises(RunFormatError, match="schema 99"):
        Run.open("reports/one")
    file.write_text("{")
    with pytest.raises(RunFormatError, match="cannot read"):
        Run.open("reports/one")


def test_predictions_survive_any_name(tmp_path):
    paths = ['a "b",\nc.jpg', "<script>.jpg", "d\udcff.jpg", "魚.jpg"] * 5
    arrays = {
        "features": np.random.default_rng(0).normal(size=(20, 3)),
        "labels": np.repeat([0, 1], 10),
        "paths": np.array([f"{i}{p}" for i, p in enumerate(paths)], dtype=object).astype(str),
        "splits": np.array(["train", "test"] * 10),
    }
    run = run_fit(import_vectors(arrays, tmp_path / "b.h5"))
    assert [row["path"] for row in run.predictions] == [f"{i}{p}" for i, p in enumerate(paths)][
        1::2
    ]
    with (run.folder / "predictions.csv").open(newline="", errors="surrogateescape") as file:
        assert len(list(csv.reader(file))) == 11


def assert_same(made, read):
    assert made.info == read.info
    assert made.metrics == read.metrics
    assert made.images.paths == read.images.paths
    assert made.images.group_names == read.images.group_names
    assert made.classes.raw_names == read.classes.raw_names
    for table in ("classes", "images"):
        for name, values in vars(getattr(made, table)).items():
            if isinstance(values, np.ndarray) and name != "top":
                np.testing.assert_array_equal(values, getattr(getattr(read, table), name), name)
    for one in (made, read):
        assert one.images.top.shape == (20, 3)
    names = [np.array(one.images.class_names)[one.images.top].tolist() for one in (made, read)]
    assert names[0] == names[1]
    assert made.history.keys() == read.history.keys()
    for name, values in made.history.items():
        np.testing.assert_array_equal(values, read.history[name], name)
    np.testing.assert_array_equal(made.confusion, read.confusion)
    np.testing.assert_array_equal(made.images.rank, read.images.rank)


@pytest.mark.parametrize("head", ["linear", "auto", "knn"])
def test_a_folder_holds_the_result_that_was_fitted(store, head):
    result = fit(store, head=head, split="val")
    run = save_run(result)
    assert run.result is result
    assert_same(result, Run.load(run.folder))


def test_a_folder_holds_the_result_that_was_scored(store):
    result = score_zeroshot(store)
    assert_same(result, Run.load(save_run(result).folder))


def test_what_was_made_is_not_read_back(store):
    run = run_fit(store, head="gaussian")
    shutil.rmtree(run.folder)
    assert run.result.metrics == run.metrics
    assert len(run.result.images.paths) == 20


def test_quantities_are_computed_once(store):
    result = fit(store, head="gaussian")
    for name in ("confusion", "mixup_order", "reliability", "top_k"):
        assert getattr(result, name) is getattr(result, name)


def test_the_store_is_found_from_anywhere(store, workspace, tmp_path, monkeypatch):
    run = run_fit(str(store), head="gaussian")
    folder = run.folder.absolute()
    with run.open_store() as found:
        assert found.fingerprint == run.info["store"]["fingerprint"]
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "cache").mkdir(parents=True)
    monkeypatch.chdir(elsewhere)
    with Run.open(folder).open_store() as found:
        assert len(found) == 60
    evident = predict_run(folder, [workspace / "cache" / "fish.h5"], evidence=True)
    assert all(len(one.evidence) == 3 for one in evident.predictions)


def test_another_store_of_that_name_is_not_taken_for_it(store, workspace, tmp_path, monkeypatch):
    folder = run_fit(str(store), head="gaussian").folder.absolute()
    monkeypatch.chdir(tmp_path)
    import_vectors({"features": np.eye(4), "labels": np.arange(4)}, "cache/fish.h5")
    with Run.open(folder).open_store() as found, FeatureStore.open(workspace / store) as own:
        assert found.fingerprint == own.fingerprint


def test_a_store_that_is_gone_is_named(store, workspace):
    run = run_zeroshot(store)
    (workspace / store).unlink()
    with pytest.raises(StoreNotFoundError, match="fish"):
        run.open_store()
