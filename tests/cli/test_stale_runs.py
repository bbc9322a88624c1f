"""Runs whose store has changed since say so; what is ended by Ctrl-C on purpose ends well."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from fake_encoder import FakeEncoder

STALE = "warning: cache/v.h5 was fixed or split since the run 'v-gaussian' was made: 'fishembed fit"


@pytest.fixture
def two_runs(run, workspace):
    """Fit two heads to a store, and relabel a row of it between them."""
    features = np.eye(3).repeat(8, axis=0) + 0.1 * np.random.default_rng(0).normal(size=(24, 3))
    names = {"classes": ["cod", "eel", "ray"], "paths": [f"{i}.jpg" for i in range(24)]}
    np.savez(workspace / "v.npz", features=features, labels=np.arange(3).repeat(8), **names)
    assert run("import", "v.npz")[0] == run("fit", "--head", "gaussian")[0] == 0
    (workspace / "t.csv").write_text("path,action,new_label\n3.jpg,relabel,eel\n", encoding="utf-8")
    assert run("fix", "v", "t.csv")[0] == 0
    assert run("fit", "--head", "centroid")[0] == 0


def test_a_run_of_a_store_that_was_fixed_warns(run, two_runs):
    code, out, err = run("predict", "v-gaussian", "cache/v.h5", "--json")
    assert code == 0
    assert STALE in err
    assert "warning" not in out
    assert STALE not in run("predict", "v-centroid", "cache/v.h5")[1]
    code, out, err = run("compare", "v-gaussian", "v-centroid")
    assert STALE in out + err
    assert (out + err).count("warning:") == 1


def test_runs_show_the_state_of_their_store(run, two_runs):
    shown = run("runs")[1]
    assert re.search(r"v-gaussian .*made before the last fix", shown)
    assert re.search(r"v-centroid .*store unchanged", shown)
    states = {
        one["name"]: one["store_state"] for one in json.loads(run("runs", "--json")[1])["runs"]
    }
    assert states == {"v-gaussian": "made before the last fix", "v-centroid": "unchanged"}


def test_a_run_is_deleted_by_its_name_and_nothing_else_is(run, two_runs, workspace):
    assert "deleted reports/v-gaussian" in run("runs", "--delete", "v-gaussian")[1]
    assert [path.name for path in (workspace / "reports").iterdir()] == ["v-centroid"]
    code, _, err = run("runs", "--delete", "v-gausian")
    assert code == 2
    assert "v-gausian" in err
    assert run("runs", "--delete", "cache")[0] == 2
    assert (workspace / "cache/v.h5").exists()


def test_ctrl_c_is_the_way_to_end_a_watch(run, photos, workspace, monkeypatch):
    from fishembed import extract, run_fit
    from fishembed.experiments.predicting import image_folders

    encoder = FakeEncoder()
    run_fit(extract(photos, "cache/p.h5", encoder=encoder).store, head="centroid", run="eyes")
    monkeypatch.setattr(
        "fishembed.experiments.predicting.input_features.run_encoder", lambda *_, **__: encoder
    )
    looks = []

    def wait(_):
        looks.append(1)
        if len(looks) == 2:
            raise KeyboardInterrupt

    monkeypatch.setattr(image_folders.watch_folder, "__kwdefaults__", {"pause": 0.0, "wait": wait})
    code, out, err = run("predict", "eyes", "--watch", photos, "-o", "r.csv")
    assert code == 0
    assert "ended; 12 images classified" in out + err
    assert len((workspace / "r.csv").read_text(encoding="utf-8-sig").splitlines()) == 13
