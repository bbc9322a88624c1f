from __future__ import annotations

import numpy as np
import pytest

from fishembed.experiments.heads import HEADS, head_parameters, make_head
from fishembed.experiments.runs.run_info import PRIOR_SENTENCES, assumed_prior


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
