"""Candidates, and the search over grids and blends, on rows small enough to repeat by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.model_choice.model_grids import GaussianGrid, LogisticGrid
from fishembed.classifiers.model_choice.model_search import Candidate, ModelSearch, Part
from fishembed.classifiers.model_choice.model_selection import CandidateScorer
from fishembed.classifiers.row_weights import log_prior

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(3), [30, 12, 6])
X = (RNG.normal(size=(3, 8))[Y] + RNG.normal(size=(48, 8))).astype(np.float32)
GRIDS = [
    GaussianGrid((0.5,), (0.0, 1.0), taus=(0.0, 1.0)),
    LogisticGrid((1.0, 100.0), taus=(0.0, 0.5)),
]


@pytest.fixture
def search():
    folds = Folds.split(X, Y, 3, 4, random=np.random.RandomState(0))
    scorer = CandidateScorer(folds.codes[folds.evaluated], folds.fold[folds.evaluated], 3)
    return ModelSearch(folds, scorer, None)


def test_every_point_is_scored_at_every_correction(search):
    tables = search.grids(GRIDS)
    assert [len(table) for table in tables] == [4, 4]
    assert [s.candidate.parameters for s in tables[1]] == [
        {"C": 1.0},
        {"C": 1.0, "tau": 0.5},
        {"C": 100.0},
        {"C": 100.0, "tau": 0.5},
    ]


def test_logits_of_a_row_are_of_a_model_fitted_without_its_fold(search):
    scored = search.grids(GRIDS)[0][1]  # pseudo_count 0, tau 1
    assert scored.candidate.parameters == {"shrinkage": 0.5, "pseudo_count": 0.0, "tau": 1.0}
    folds = search.folds
    for k in range(folds.n_folds):
        rows, codes = folds.training(k)
        fitted = GRIDS[0].fit(rows, codes, 3, {"shrinkage": 0.5, "pseudo_count": 0.0})
        held_out = folds.fold == k
        expected = fitted.shifted(-log_prior(codes, 3)).logits(X[held_out], unit=False).T
        difference = scored.candidate.logits[:, held_out] - expected
        assert difference - difference[:1] == pytest.approx(np.zeros_like(expected), abs=1e-3)


def test_blends_are_of_the_best_of_each_grid(search):
    blends = search.blends(search.grids(GRIDS))
    assert {s.candidate.name for s in blends} == {"gaussian + logistic"}
    assert len(blends) == 2 * 3  # corrections of the last grid times mixtures
    shares = [s.candidate.parameters for s in blends]
    for one in shares:
        assert one["gaussian.share"] + one["logistic.share"] == pytest.approx(1)


def test_a_candidate_fits_what_its_parts_fit():
    logits = np.zeros((3, 48), np.float32)
    priors = np.zeros((3, 48), np.float32)
    gaussian = Candidate((Part(GRIDS[0], GRIDS[0].points[0], logits, tau=1.0),), priors)
    logistic = Candidate((Part(GRIDS[1], GRIDS[1].points[1], logits),), priors)
    fitted = gaussian.scaled(2).blended(logistic, 0.25).fit(X, Y, 3)
    parts = [grid.fit(X, Y, 3, grid.points[k]) for k, grid in enumerate(GRIDS)]
    assert fitted.coef == pytest.approx(1.5 * parts[0].coef + 0.25 * parts[1].coef, rel=1e-5)
    expected = 1.5 * (parts[0].intercept - log_prior(Y, 3)) + 0.25 * parts[1].intercept
    assert fitted.intercept == pytest.approx(expected, rel=1e-5, abs=1e-6)
