from __future__ import annotations

import json

import numpy as np
import pytest

from fishembed import import_features, list_runs, run_fit
from fishembed.audit import fix_store
from fishembed.cli import main
from fishembed.errors import InputError, RunNotFoundError
from fishembed.experiments.runs.find_runs import delete_run, stale_warning, store_state
from fishembed.experiments.runs.run_folder import Run


@pytest.fixture
def store():
    rng = np.random.default_rng(0)
    labels = np.arange(60) % 3
    X = np.eye(3)[labels] + 0.4 * rng.normal(size=(60, 3))
    arrays = {"features": X, "labels": labels, "classes": ["cod", "eel", "pike"]}
    return import_features(arrays, "cache/f.h5")


def test_runs_are_listed_best_first_with_the_state_of_their_store(store, workspace):
    good = run_fit(store, head="centroid", run="good")
    run_fit(store, head="linear", run="bad", parameters={"epochs": 1, "learning_rate": 1e-9})
    assert {line.state for line in list_runs()} == {"unchanged"}
    lines = list_runs()
    assert lines[0].number("macro_recall") >= lines[1].number("macro_recall")
    assert [line.folder.name for line in list_runs(sort="name")] == ["bad", "good"]
    assert stale_warning(good) == ""
    table = workspace / "t.csv"
    table.write_text("path,action,new_label\n00000,drop,\n", encoding="utf-8")
    from fishembed import open_store

    with open_store(store) as opened:
        path = opened.paths[0]
    table.write_text(f"path,action,new_label\n{path},drop,\n", encoding="utf-8")
    fix_store(store, table)
    assert store_state(Run.open(good.folder)) == "made before the last fix"
    assert "fishembed fit" in stale_warning(Run.open(good.folder))
    store.unlink()
    assert store_state(Run.open(good.folder)) == "gone"
    with pytest.raises(InputError, match="cannot be sorted"):
        list_runs(sort="colour")


def test_a_broken_run_is_listed_with_its_problem(store, workspace):
    run = run_fit(store, head="centroid", run="whole")
    broken = workspace / "reports" / "broken"
    broken.mkdir()
    (broken / "run.json").write_text("{", encoding="utf-8")
    lines = {line.folder.name: line for line in list_runs()}
    assert lines["broken"].problem
    assert lines["whole"].run.name == run.name


def test_only_runs_are_deleted(store, workspace, capsys):
    run = run_fit(store, head="centroid", run="old")
    (workspace / "reports" / "notes").mkdir()
    with pytest.raises(RunNotFoundError):
        delete_run(workspace / "reports" / "notes")
    with pytest.raises(SystemExit) as ended:
        main(["runs", "--delete", "old", "--json"])
    assert not ended.value.code
    assert json.loads(capsys.readouterr().out)["runs"] == []
    assert not run.folder.exists()
    assert (workspace / "reports" / "notes").exists()
