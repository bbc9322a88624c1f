from __future__ import annotations

import json

import numpy as np
import pytest

from fishembed import FeatureStore, import_features, run_fit, write_report
from fishembed.errors import InputError
from fishembed.experiments import Run, fit, leave_out
from fishembed.experiments.field_questions import (
    answer_field_questions,
    ask_run,
    field_answers,
)
from fishembed.experiments.leave_out import leave_one_out
from fishembed.experiments.runs.find_runs import stale_warning, store_state
from fishembed.reports.field_sentences import field_sentences, field_tables

NAMES = ["cod", "eel", "ray", "sole", "tuna", "wrasse"]


@pytest.fixture
def store(workspace):
    """240 rows of four sites, kept as groups; images of the last site look otherwise."""
    rng = np.random.default_rng(0)
    labels, site = np.arange(240) % 6, np.arange(240) // 6 % 4
    centres = rng.normal(size=(6, 16)) * 1.5
    X = centres[labels] + rng.normal(size=(240, 16))
    X[site == 3] += (centres[(labels + 1) % 6] - centres[labels])[site == 3] * 0.9
    arrays = {"features": X, "labels": labels, "classes": np.array(NAMES)}
    arrays["groups"] = np.array([f"site {k}" for k in site])
    arrays["splits"] = np.where(np.arange(240) < 120, "train", "test")
    return import_features(arrays, "cache/sites.h5")


def test_the_worst_site_stands_first(store):
    result = fit(store, head="gaussian")
    rows = result.by("group")
    assert rows[0].value == "site 3"
    assert sum(row.n for row in rows) == 120
    with pytest.raises(InputError, match="no column 'depth'"):
        result.by("depth")


def test_a_site_never_seen_is_scored_without_it(store):
    result = fit(store, head="gaussian")
    with FeatureStore.open(store) as opened:
        found = leave_one_out(result.estimator, opened, "group")
        with pytest.raises(InputError, match="no column 'depth'"):
            leave_one_out(result.estimator, opened, "depth")
    assert found["rows"][0]["value"] == "site 3"
    assert found["rows"][0]["accuracy"] < 0.3
    assert found["unseen"]["accuracy"] < found["known"]["accuracy"]
    assert found["unseen"]["n"] == 240
    assert found["known"]["n"] >= 100


def test_each_value_costs_one_fit_and_known_rows_are_scored_by_it(monkeypatch):
    from fishembed.classifiers import cross_validation

    learnt = []

    class Spy:
        def predict(self, rows):
            assert not set(rows[:, 0]) & learnt[-1]
            return np.zeros(len(rows), int)

    def refit(head, X, y):
        learnt.append(set(X[:, 0]))
        return Spy()

    monkeypatch.setattr(cross_validation, "refit", refit)
    X, y = np.arange(60.0)[:, None], np.arange(60) % 2
    out = np.repeat([0, 1, 2], 20)
    fold = leave_out._fold_known(y, np.arange(60), out, 0)
    right, unseen, known = leave_out._hits(None, X, y, out, fold)
    assert len(learnt) == 3
    assert all(not learnt[k] & set(X[out == k, 0]) for k in range(3))
    assert unseen.all()
    assert (right[0] == (y == 0)).all()
    assert (right[1] == ((y == 0) & known)).all()
    assert known.sum() > 15
    # values that are the groups themselves leave rows to score too
    alone = leave_out._fold_known(y, out, out, 0)
    assert leave_out._hits(None, X, y, out, alone)[2].any()


def test_answers_are_kept_beside_the_run_and_on_its_page(store, workspace):
    lines = ["class,genus,family"] + [f"{n},G{i // 2},F{i // 3}" for i, n in enumerate(NAMES)]
    (workspace / "taxa.csv").write_text("\n".join(lines), encoding="utf-8")
    run = run_fit(store, head="gaussian")
    found = ask_run(run, by="group", pool="group", taxonomy="taxa.csv", leave_out="group")
    kept = json.loads((run.folder / "field.json").read_text(encoding="utf-8"))
    assert len(kept.pop("checksum")) == 64
    assert set(kept) == {"unknown", "sets", "by", "pool", "taxonomy", "leave_out"}
    assert kept["by"]["rows"][0]["value"] == "site 3"
    assert kept["unknown"]["scores"]["combined"]["n_unknown"] == 120
    assert set(field_sentences(found)) == set(kept)
    assert set(field_tables(found)) == set(kept) - {"pool"}
    page = write_report(run, formats=["html"]).read_text(encoding="utf-8")
    for sentence in field_sentences(found).values():
        assert sentence.split(":")[0][:30] in page
    assert 'id="risk_coverage"' in page


def test_sets_for_even_frequencies_are_wider_where_a_class_is_rare(workspace):
    rng = np.random.default_rng(0)
    codes = np.repeat([0, 1, 2], [300, 30, 30])
    X = np.eye(3)[codes] + rng.normal(size=(360, 3)) * np.where(codes == 2, 1.2, 0.4)[:, None]
    arrays = {"features": X, "labels": codes, "classes": np.array(["a", "b", "c"])}
    store = import_features(
        arrays | {"splits": np.where(np.arange(360) % 2, "train", "test")}, "f.h5"
    )
    sets = answer_field_questions(run_fit(store, head="gaussian"))["sets"]
    by_class = np.mean([row["coverage"] for row in sets["by_class"]])
    assert sets["evenly"]["coverage"] >= by_class
    assert sets["evenly"]["mean_size"] >= sets["mean_size"]
    assert "--prior uniform" in field_sentences({"sets": sets})["sets"]


def test_pooled_images_stand_beside_single_ones(store):
    found = answer_field_questions(run_fit(store, head="gaussian"), pool="group")["pool"]
    assert found["images"]["n"] == 120
    assert found["groups"]["n"] == 4
    assert found["of_several_classes"] == 4


def test_a_run_read_from_its_folder_answers_too(store):
    run = run_fit(store, head="gaussian")
    found = answer_field_questions(Run.open(run.folder), by="group")
    assert found["by"]["rows"][0]["value"] == "site 3"
    with pytest.raises(InputError, match="no column 'depth'"):
        answer_field_questions(Run.open(run.folder), by="depth")


def test_what_damage_kept_from_being_answered_is_said(store):
    run = run_fit(store, head="gaussian")
    page = run.folder / "field.json"
    ask_run(run, by="group")
    page.write_text(page.read_text(encoding="utf-8").replace("site 3", "site 4"), encoding="utf-8")
    assert "not as it was written" in field_answers(run)["problem"]
    page.unlink()
    store.write_bytes(store.read_bytes()[:-1000])
    said = field_sentences(field_answers(Run.open(run.folder)))["problem"]
    assert "is not a readable HDF5 file" in said
    assert store_state(Run.open(run.folder)) == "damaged"
    assert "is damaged" in stale_warning(Run.open(run.folder))
