from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fishembed.classifiers.cross_validation import Folds
from fishembed.classifiers.gaussian import GaussianStatistics
from fishembed.classifiers.model_choice.model_grids import (
    AngularGrid,
    GaussianGrid,
    LogisticGrid,
    TrainingRows,
    ZeroShotGrid,
)

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(4), [60, 30, 8, 3])
CENTRES = RNG.normal(size=(4, 10))
X = CENTRES[Y] + RNG.normal(size=(len(Y), 10))


AROUND = LogisticGrid((1.0, 100.0), text=0.01 * CENTRES)


def held_out_logits(grid, folds, k):
    training = TrainingRows(folds.rows, folds.codes, folds.n_classes, folds.fold != k)
    return grid.held_out_logits(training, folds.rows[folds.held_out(k)])


def test_statistics_are_those_of_the_rows_that_are_learnt_from_and_computed_once():
    some = np.arange(len(Y)) % 3 > 0
    training = TrainingRows(X, Y, 4, some)
    alone = GaussianStatistics.of(X[some], Y[some], 4)
    assert np.array_equal(training.statistics.offsets, alone.offsets)
    assert training.statistics is training.statistics


@pytest.mark.parametrize("text", [None, CENTRES])
def test_the_gaussian_grid_gives_what_a_refit_on_each_fold_gives(text):
    grid = GaussianGrid((0.3,), (0.0, 2.0), text=text)
    rows = X.astype(np.float32)
    folds = Folds.split(rows, Y, 4, 3, random=np.random.RandomState(0))
    for k in range(folds.n_folds):
        held_out = folds.fold == k
        for parameters, logits in zip(grid.points, held_out_logits(grid, folds, k), strict=True):
            [fitted] = grid.fit(TrainingRows(rows, Y, 4, ~held_out), [parameters])
            expected = fitted.logits(rows[held_out], unit=False).T
            difference = logits - expected  # a shift of the whole column changes nothing
            assert difference - difference[:1] == pytest.approx(np.zeros_like(expected), abs=1e-3)


@pytest.mark.parametrize(
    ("grid", "rows"),
    [
        (LogisticGrid((1.0, 100.0)), X),
        (AngularGrid((1.0, 100.0), shrinkage=0.5), X),
        (AROUND, 0.02 * X),  # the weights of the text are large
    ],
    ids=["logistic", "angular", "around text"],
)
def test_a_path_of_logistic_regressions_gives_what_a_refit_on_each_fold_gives(grid, rows):
    folds = Folds.split(rows, Y, 4, 3, random=np.random.RandomState(0))
    for k in range(folds.n_folds):
        held_out = folds.fold == k
        logits = held_out_logits(grid, folds, k)
        for parameters, of_point in zip(grid.points, logits, strict=True):
            [fitted] = grid.fit(TrainingRows(rows, Y, 4, ~held_out), [parameters])
            expected = softmax(fitted.logits(rows[held_out], unit=False).T, axis=0)
            assert softmax(of_point, axis=0) == pytest.approx(expected, abs=0.02)  # rough solution


def test_the_zero_shot_grid_is_one_cosine():
    grid = ZeroShotGrid(text=CENTRES)
    [fitted] = grid.fit(TrainingRows(X, Y, 4), grid.points)
    assert np.linalg.norm(fitted.coef, axis=1) == pytest.approx(np.full(4, 100.0))
    assert not fitted.intercept.any()
    folds = Folds.split(X, Y, 4, 3, random=np.random.RandomState(0))
    [logits] = held_out_logits(grid, folds, 1)
    assert logits == pytest.approx(fitted.coef @ X[folds.held_out(1)].T)


@pytest.mark.parametrize("text", [None, CENTRES])
def test_several_points_are_fitted_as_each_is_alone(text):
    grids = [GaussianGrid((0.3, 0.7), (0.0, 2.0), text=text), LogisticGrid((1.0, 100.0))]
    for grid in [*grids, AngularGrid((1.0, 100.0), shrinkage=0.5)]:
        together = grid.fit(TrainingRows(X, Y, 4), grid.points)
        assert len(together) == len(grid.points)
        for point, fitted in zip(grid.points, together, strict=True):
            [alone] = grid.fit(TrainingRows(X, Y, 4), [point])
            expected = softmax(alone.logits(X, unit=False), axis=1)
            assert softmax(fitted.logits(X, unit=False), axis=1) == pytest.approx(
                expected, abs=1e-3
            )
