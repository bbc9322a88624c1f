from __future__ import annotations

import shlex
import sys

import numpy as np
import pytest

import fishembed
from fishembed import FeatureStore, Run, import_features, import_vectors, run_fit
from fishembed.classifiers import Trial
from fishembed.cli import main
from fishembed.experiments.heads import HEADS, _with_defaults, head_parameters, make_head
from fishembed.experiments.runs.run_info import (
    _WITHOUT_OPTION,
    PRIOR_SENTENCES,
    assumed_prior,
    repeat_command,
    repeat_commands,
    run_info,
    selection_rows,
)

SCORES = ("accuracy", "macro_recall", "macro_f1", "log_loss")


def trial(candidate, parameters, **changes):
    scores = {name: 0.5 for score in SCORES for name in (score, f"{score}_std")}
    given = {"seconds": 0.123456, "rows": 40, "tied": False, "chosen": False}
    return Trial(candidate=candidate, parameters=parameters, **(scores | given | changes))


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({}, ""),
        ({"C": 100.0, "tau": 1.0}, "C=100, tau=1"),
        (
            {"gaussian.share": 0.7, "gaussian.tau": 1.0, "zeroshot.share": 0.3},
            "0.7 gaussian (tau=1) + 0.3 zeroshot",
        ),
    ],
)
def test_parameters_are_written_as_people_write_them(parameters, text):
    assert selection_rows([trial("any", parameters)])[0]["parameters"] == text


def test_a_candidate_is_a_row_of_selection_csv():
    [row] = selection_rows([trial("logistic", {"C": 1.0}, macro_recall_std=0.25, chosen=True)])
    assert list(row) == [
        "candidate",
        "parameters",
        *(f"{score}_{what}" for score in SCORES for what in ("mean", "std")),
        "seconds",
        "rows",
        "tied",
        "chosen",
    ]
    assert (row["macro_recall_std"], row["seconds"], row["chosen"]) == (0.25, 0.1235, True)


def test_an_experiment_names_what_it_was_made_of(workspace):
    place = import_vectors({"features": np.eye(4), "labels": np.arange(4)}, "cache/v.h5")
    with FeatureStore.open(place) as store:
        info = run_info(
            store,
            kind="fit",
            head="logistic",
            parameters={"C": 1.0},
            seed=3,
            split="test",
            seconds={"fit": 0.123456},
            command="fishembed fit",
        )
        assert info["store"]["fingerprint"] == store.fingerprint
        assert info["stores"] == [
            {"path": "cache/v.h5", "fingerprint": store.fingerprint, "dim": 4}
        ]
    assert info["assumed_prior"] == "training"
    assert info["seconds"] == {"fit": 0.1235}
    assert info["versions"]["fishembed"] == fishembed.__version__
    assert info["versions"]["python"] == sys.version.split()[0]


@pytest.mark.parametrize(
    ("head", "parameters", "prior"),
    [
        ("auto", {}, "uniform"),
        ("auto", {"select_on": "accuracy"}, "training"),
        ("sweep", {}, "training"),
        ("logistic", {}, "training"),
        ("logistic", {"class_weight": "balanced"}, "uniform"),
        ("prior-corrected", {}, "uniform"),
        ("prior-corrected", {"tau": 0.5}, "partly uniform"),
        ("prior-corrected", {"tau": 0}, "training"),
        ("gaussian", {}, "uniform"),
        ("gaussian", {"prior": "empirical"}, "training"),
        ("centroid", {}, "uniform"),
        ("knn", {}, "training"),
        ("linear", {}, "training"),
        ("linear", {"loss": "balanced_softmax"}, "uniform"),
    ],
)
def test_the_prior_follows_the_parameters(head, parameters, prior):
    made = make_head(head, parameters, seed=0)
    assert assumed_prior(head, head_parameters(made)) == prior


def test_every_head_has_a_prior():
    assert assumed_prior("zeroshot", {"prompts": "single"}) == "uniform"
    assert {assumed_prior(head, {}) for head in HEADS} <= set(PRIOR_SENTENCES)


def test_the_prior_is_the_one_of_the_probabilities():
    """One class has nine times the images of the other: a uniform prior ignores it."""
    X = np.random.default_rng(0).normal(size=(100, 4))
    y = np.arange(100) >= 90
    for head, parameters, most in (("gaussian", {}, 0.6), ("gaussian", {"prior": "empirical"}, 1)):
        made = make_head(head, {"shrinkage": 0.9, **parameters}, seed=0).fit(X, y)
        mean = made.predict_proba(X).mean(axis=0)
        uniform = assumed_prior(head, head_parameters(made)) == "uniform"
        assert (mean[0] < 0.75) == uniform
        assert mean[0] <= most


@pytest.fixture
def store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    labels = np.arange(120) % 3
    X = 2 * np.eye(3)[labels] + rng.normal(size=(120, 3))
    return import_features(
        {"features": X.astype(np.float32), "labels": labels, "classes": ["cod", "eel", "ray"]},
        tmp_path / "my cache" / "a store.h5",
    )


def run_line(line):
    words = shlex.split(line)
    assert words[0] == "fishembed"
    with pytest.raises(SystemExit) as end:
        main(words[1:])
    assert not end.value.code


@pytest.mark.parametrize(
    ("head", "parameters"),
    [("logistic", {"C": 0.123456789}), ("knn", {"n_neighbors": 7}), ("gaussian", {}),
     ("prior-corrected", {"tau": 0.5})],
)  # fmt: skip
def test_the_line_repeats_the_run_when_newer_stores_and_runs_are_there(store, head, parameters):
    done = run_fit(store, head=head, parameters=parameters, seed=5, run="the first")
    import_features({"features": np.eye(4, dtype=np.float32)}, "cache/newer.h5")
    run_fit(store, head="centroid")
    fit, report = repeat_commands(done.name, Run.load(done.folder))
    assert report == "fishembed report 'the first-again'"
    run_line(fit)
    again = Run.open(done.folder.parent / "the first-again")
    assert again.metrics == done.metrics
    assert again.info["parameters"] == done.info["parameters"]
    assert again.result.images.confidence == pytest.approx(done.result.images.confidence, nan_ok=1)


def test_parameters_that_no_option_sets_are_given_in_python(store):
    done = run_fit(store, head="logistic", parameters={"max_iter": 500, "C": 2.0}, seed=1)
    line = repeat_command(done.info, run="again")
    words = shlex.split(line)
    assert words[:2] == ["python", "-c"]
    exec(compile(words[2], "<page>", "exec"), {})
    assert Run.open(done.folder.parent / "again").metrics == done.metrics


def test_what_the_command_leaves_out_is_the_default():
    for head in HEADS:
        if head.startswith("text-"):
            continue
        for name, value in head_parameters(_with_defaults(head, None)).items():
            if name in _WITHOUT_OPTION:
                assert _WITHOUT_OPTION[name] == value, (head, name)


def test_learning_curve_features_and_questions_come_along(tmp_path):
    info = {
        "kind": "fit", "head": "auto", "store": {"path": "s.h5"}, "features": "trunk", "seed": 0,
        "stores": [{"path": "a.h5"}, {"path": "b c.h5"}], "validate": "val",
        "parameters": {"select_on": "macro_recall"}, "scored_split": "holdout",
    }  # fmt: skip
    rows = [{"shots": k, "seed": s} for k in (0, 1, 4) for s in (0, 1)]
    assert repeat_command(info, rows) == (
        "fishembed fit a.h5 'b c.h5' --head auto --features trunk --select-on macro_recall "
        "--validate val --shots 1,4 --seeds 2 --seed 0"
    )


def test_zero_shot_names_its_prompts():
    info = {
        "kind": "zeroshot", "head": "zeroshot", "store": {"path": "s.h5"}, "seed": 0,
        "parameters": {"prompts": "clip"}, "prompts": {"key": "clip"}, "scored_split": "test",
    }  # fmt: skip
    assert repeat_command(info) == "fishembed zeroshot s.h5 --prompts clip --split test --seed 0"
