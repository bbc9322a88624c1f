from __future__ import annotations

import sys

import numpy as np
import pytest

import fishembed
from fishembed import FeatureStore, import_vectors
from fishembed.classifiers import Trial
from fishembed.experiments.heads import HEADS, head_parameters, make_head
from fishembed.experiments.runs.run_info import (
    PRIOR_SENTENCES,
    assumed_prior,
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
