from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fishembed.errors import DimensionError, InputError
from fishembed.evaluation import fit_label_noise


def rows(n: int, k: int, sharpness: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw probabilities, and labels that follow them."""
    rng = np.random.default_rng(seed)
    p = softmax(sharpness * rng.normal(size=(n, k)), axis=1)
    return (p.cumsum(axis=1) > rng.random((n, 1))).argmax(axis=1), p


@pytest.mark.parametrize(("k", "sharpness"), [(2, 3.0), (10, 3.0), (100, 6.0)])
def test_errors_of_an_honest_classifier_are_no_wrong_labels(k, sharpness):
    y, p = rows(2000, k, sharpness)
    noise = fit_label_noise(y, p)
    assert (noise.posterior > 0.5).sum() <= 4
    assert noise.rate < 0.02
    assert noise.scale == pytest.approx(1, rel=0.15)


@pytest.mark.parametrize("rate", [0.05, 0.2])
def test_planted_wrong_labels_are_found_and_counted(rate):
    y, p = rows(3000, 10, 8.0)
    rng = np.random.default_rng(1)
    wrong = rng.random(3000) < rate
    y[wrong] = (y[wrong] + rng.integers(1, 10, wrong.sum())) % 10
    noise = fit_label_noise(y, p)
    assert noise.rate == pytest.approx(rate, abs=0.02)
    flagged = noise.posterior > 0.5
    assert wrong[flagged].mean() > 0.8
    assert flagged[wrong].mean() > 0.7


def test_probabilities_that_are_too_sure_are_believed_less():
    """A classifier whose errors are confident would else look like wrong labels."""
    y, p = rows(3000, 10, 2.0)
    sure = softmax(4 * np.log(p), axis=1)
    noise = fit_label_noise(y, sure)
    assert noise.scale == pytest.approx(0.25, rel=0.25)
    assert (noise.posterior > 0.5).mean() < 0.01


def test_the_posterior_is_bayes_rule():
    y, p = rows(500, 5, 4.0)
    y[:40] = (y[:40] + 1) % 5
    noise = fit_label_noise(y, p)
    wrong = noise.rate * (1 - noise.p_given) / 4
    expected = wrong / (wrong + (1 - noise.rate) * noise.p_given)
    assert noise.posterior == pytest.approx(expected, abs=1e-9)


def test_bad_input_is_named():
    with pytest.raises(DimensionError, match=r"y \(2,\)"):
        fit_label_noise([0, 1], [[1.0, 0.0]])
    with pytest.raises(InputError, match="two classes"):
        fit_label_noise([0], [[1.0]])
