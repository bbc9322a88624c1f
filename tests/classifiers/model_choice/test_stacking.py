"""Weights of models in a sum, against optima found by other means."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

from fishembed.classifiers.model_choice import stacking
from fishembed.classifiers.model_choice.stacking import MOST_TAU, stack

RNG = np.random.default_rng(0)
N_CLASSES, N = 5, 400
CODES = np.repeat(np.arange(N_CLASSES), [200, 100, 60, 30, 10])
MASS = np.full(N, 1 / N)
PRIORS = np.repeat(np.log(np.bincount(CODES) / N)[:, None], N, axis=1).astype(np.float32)


def model(strength: float, seed: int) -> np.ndarray:
    """Logits that know the class a little, and their own noise."""
    noise = np.random.default_rng(seed).normal(size=(N_CLASSES, N))
    return (strength * np.eye(N_CLASSES)[CODES].T + noise).astype(np.float32)


def objective(values, models):
    z = np.tensordot(values[:-1], models, 1) - values[-1] * PRIORS
    own = log_softmax(z.astype(np.float64), axis=0)[CODES, np.arange(N)]
    return -own @ MASS + stacking._RIDGE * (values[:-1] ** 2).sum()


def test_even_classes_leave_tau_where_it_began():
    """Their prior moves no probability, so the loss is flat along tau."""
    even = np.full_like(PRIORS, -np.log(N_CLASSES))
    sure = [100 * model(2.0, 1), 100 * model(2.0, 1)]
    found = stack(sure, [1.0, 1.0], even, CODES, MASS)
    assert found.tau == pytest.approx(0.5, abs=0.1)
    assert np.isfinite(found.models).all()


def test_the_optimum_is_the_one_that_scipy_finds():
    models = [model(2.0, 1), model(1.0, 2), model(1.5, 3), -model(1.0, 4)]
    found = stack(models, [1.0] * 4, PRIORS, CODES, MASS)
    start = np.append(np.full(4, 0.25), 0.5)
    bounds = [(0, None)] * 4 + [(0, MOST_TAU)]
    theirs = minimize(objective, start, (models,), method="L-BFGS-B", bounds=bounds, tol=1e-12).x
    assert found.models == pytest.approx(theirs[:-1], abs=2e-3)
    assert found.tau == pytest.approx(theirs[-1], abs=2e-3)
    assert found.models[3] == 0  # what speaks against the truth is left out, not turned round


def test_two_copies_of_a_model_share_its_weight():
    one = stack([model(2.0, 1)], [1.0], PRIORS, CODES, MASS)
    two = stack([model(2.0, 1)] * 2, [1.0, 1.0], PRIORS, CODES, MASS)
    assert two.models[0] == pytest.approx(two.models[1], abs=1e-4)
    assert two.models.sum() == pytest.approx(one.models[0], rel=0.05)


def test_last_bits_move_the_weights_by_no_more_than_last_bits():
    models = [model(2.0, 1), model(1.9, 2), model(2.0, 1) + np.float32(1e-4) * model(0.0, 9)]
    close = [one * (1 + np.float32(1e-6) * RNG.normal(size=one.shape)) for one in models]
    first, second = (
        stack([m.astype(np.float32) for m in each], [1.0] * 3, PRIORS, CODES, MASS)
        for each in (models, close)
    )
    assert first.models == pytest.approx(second.models, abs=1e-4)
    assert first.tau == pytest.approx(second.tau, abs=1e-4)


def test_scales_only_change_what_the_weights_are_of():
    models = [model(2.0, 1), model(1.5, 3)]
    small = [models[0] / 8, models[1] / 2]
    plain = stack(models, [1.0, 1.0], PRIORS, CODES, MASS)
    scaled = stack(small, [8.0, 2.0], PRIORS, CODES, MASS)
    assert scaled.models == pytest.approx(plain.models, abs=1e-5)


def test_models_that_are_wrong_get_no_weight():
    assert stack([-model(2.0, 1)], [1.0], PRIORS, CODES, MASS) is None


def test_where_rows_are_many_some_of_them_are_enough(monkeypatch):
    models = [model(2.0, 1), model(1.5, 3)]
    whole = stack(models, [1.0, 1.0], PRIORS, CODES, MASS)
    monkeypatch.setattr(stacking, "_LOGITS", N_CLASSES * N // 2)
    half = stack(models, [1.0, 1.0], PRIORS, CODES, MASS)
    expected = stack([m[:, ::2] for m in models], [1.0, 1.0], PRIORS[:, ::2], CODES[::2], MASS[::2])
    assert (half.models == expected.models).all()
    assert half.models == pytest.approx(whole.models, abs=0.3)
