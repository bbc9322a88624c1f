"""Candidates, their search and their sum, on rows small enough to repeat by hand."""

from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers.base import log_prior
from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.model_choice.model_grids import GaussianGrid, LogisticGrid, TrainingRows
from fishembed.classifiers.model_choice.model_search import Candidate, ModelSearch, WeightedModel
from fishembed.classifiers.model_choice.model_selection import CandidateScorer

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
        [fitted] = GRIDS[0].fit(
            TrainingRows(rows, codes, 3), [{"shrinkage": 0.5, "pseudo_count": 0.0}]
        )
        held_out = folds.fold == k
        expected = fitted.shifted(-log_prior(codes, 3)).logits(X[held_out], unit=False).T
        difference = scored.candidate.logits[:, held_out] - expected
        assert difference - difference[:1] == pytest.approx(np.zeros_like(expected), abs=1e-3)


def test_the_ensemble_has_less_log_loss_than_any_model_of_it(search):
    everything = [scored for table in search.grids(GRIDS) for scored in table]
    ensemble = search.ensemble(everything)
    best = min(scored.scores.means["log_loss"] for scored in everything)
    assert ensemble.scores.means["log_loss"] < best + 0.01  # the penalty on weights
    assert ensemble.candidate.name == "ensemble"
    assert sum(part.share for part in ensemble.candidate.parts) == pytest.approx(1)
    assert all(part.share > 0 for part in ensemble.candidate.parts)
    assert ensemble.scores.scale == pytest.approx(1, abs=0.1)  # its weights are its temperature


def test_models_that_say_nothing_make_no_ensemble():
    folds = Folds.split(X, Y, 3, 4, random=np.random.RandomState(0))
    wrong = (Y + 1) % 3  # judged by other labels than those that were learnt
    scorer = CandidateScorer(wrong[folds.evaluated], folds.fold[folds.evaluated], 3)
    search = ModelSearch(folds, scorer, None)
    everything = [scored for table in search.grids(GRIDS) for scored in table]
    assert search.ensemble(everything) is None


def test_parameters_are_those_of_one_model_or_the_shares_of_several():
    nothing = np.empty((0, 0), np.float32)
    gaussian, logistic = (
        [
            WeightedModel(grid, point, nothing, tau=1.0, share=0.25, scale=0.5)
            for point in grid.points
        ]
        for grid in GRIDS
    )
    one = Candidate((gaussian[0],), nothing)
    assert (one.name, one.parameters) == (
        "gaussian",
        {"shrinkage": 0.5, "pseudo_count": 0.0, "tau": 1.0},
    )
    assert Candidate((*gaussian, logistic[1]), nothing).parameters == {
        "tau": 1.5,
        "gaussian.share": 0.5,
        "gaussian.models": 2,
        "logistic.share": 0.25,
        "logistic.C": 100.0,
    }


def test_a_candidate_fits_what_its_parts_fit():
    logits = np.zeros((3, 48), np.float32)
    gaussian, logistic = (
        WeightedModel(grid, grid.points[1], logits, tau=tau, scale=scale)
        for grid, tau, scale in zip(GRIDS, (1.0, 0.5), (1.5, 0.25), strict=True)
    )
    fitted = Candidate((gaussian, logistic), logits).fit(X, Y, 3)
    parts = [grid.fit(TrainingRows(X, Y, 3), grid.points[1:])[0] for grid in GRIDS]
    assert fitted.coef == pytest.approx(1.5 * parts[0].coef + 0.25 * parts[1].coef, rel=1e-5)
    prior = log_prior(Y, 3)
    expected = 1.5 * (parts[0].intercept - prior) + 0.25 * (parts[1].intercept - 0.5 * prior)
    assert fitted.intercept == pytest.approx(expected, rel=1e-5, abs=1e-6)
