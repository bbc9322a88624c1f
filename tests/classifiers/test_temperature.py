from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import (
    GaussianHead,
    ZeroShotClassifier,
    held_out_temperature,
    temperature_on,
)
from fishembed.classifiers.temperature import (
    best_scale,
    log_losses,
    rows_for_margin,
    spread,
    untested_temperature,
)

CENTRES = np.random.default_rng(0).normal(size=(4, 12))


def _rows(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 4, n)
    return (CENTRES[y] + 2 * rng.normal(size=(n, 12))).astype(np.float32), y


def _loss(head, temperature, X, y) -> float:
    return float(log_losses(head.logits(X).T / temperature, y).mean())


@pytest.mark.parametrize("n", [60, 3000])
def test_held_out_rows_tell_how_sure_a_head_may_be(n):
    X, y = _rows(n, 1)
    head = GaussianHead(0.0, pseudo_count=0)
    X_test, y_test = _rows(4000, 2)
    temperature = held_out_temperature(head, X, y)
    head.fit(X, y)
    best = temperature_on(head, X_test, y_test)
    least = _loss(head, best, X_test, y_test)
    assert (
        least
        <= _loss(head, temperature, X_test, y_test)
        < least + 0.2 * (_loss(head, 1.0, X_test, y_test) - least) + 0.01
    )


def test_groups_are_held_out_together():
    """Copies in both parts would make a head that only remembers look sure of itself."""
    X, y = _rows(40, 1)
    copies, groups = np.repeat(np.arange(40), 5), np.repeat(np.arange(40), 5)
    head = GaussianHead(0.0, pseudo_count=0)
    seen = held_out_temperature(head, X[copies], y[copies])
    unseen = held_out_temperature(head, X[copies], y[copies], groups)
    assert unseen > seen


def test_where_nothing_can_be_held_out_nothing_is_changed():
    X, y = _rows(50, 1)
    single = np.unique(y, return_index=True)[1]
    assert held_out_temperature(GaussianHead(), X[single], y[single]) == 1
    head = GaussianHead().fit(X, y)
    assert temperature_on(head, X, np.full(50, 9)) == 1


def test_what_cannot_be_tested_gets_the_usual_margin_whatever_its_scale():
    X, y = _rows(200, 1)
    head = GaussianHead().fit(X, y)
    logits = head.logits(X)
    temperature = untested_temperature(logits, y)
    assert untested_temperature(50 * logits, y) == pytest.approx(50 * temperature)
    scaled = logits / temperature
    own = scaled[np.arange(200), y]
    others = (scaled.sum(axis=1) - own) / (scaled.shape[1] - 1)
    assert (own - others).mean() == pytest.approx(16)
    assert untested_temperature(-logits, y) == 1, "the true class does not lead"
    assert len(y[rows_for_margin(len(y), 5)]) == 200
    assert len(range(*rows_for_margin(100_000, 1000).indices(100_000))) == 10_000


def test_few_rows_that_are_all_right_ask_for_no_boundless_certainty():
    logits = np.array([[2.0, 0.0], [0.0, 2.0]])
    assert 1 < best_scale(logits, np.array([0, 1])) < 3
    many = np.tile(logits, 500)
    assert best_scale(many, np.tile([0, 1], 500)) > 2


def test_with_many_rows_the_scale_is_the_one_of_least_loss():
    rng = np.random.default_rng(0)
    codes = rng.integers(0, 4, 2000)
    logits = 5 * (rng.normal(size=(4, 2000)) + np.eye(4)[:, codes])
    grid = np.geomspace(0.05, 2, 400)
    losses = [log_losses(scale * logits, codes).mean() for scale in grid]
    assert best_scale(logits, codes) == pytest.approx(grid[np.argmin(losses)], rel=0.02)


def test_labels_need_not_be_sorted():
    X, y = _rows(400, 1)
    names = np.array(["pike", "cod", "roach", "eel"])
    text = ZeroShotClassifier(CENTRES, classes=names).fit()
    numbered = ZeroShotClassifier(CENTRES).fit()
    assert temperature_on(text, X, names[y]) == pytest.approx(temperature_on(numbered, X, y))


def test_the_spread_of_logits_leaves_out_a_rows_own_class():
    logits = np.array([[90.0, 1.0, 3.0], [0.0, 90.0, 4.0]])
    assert spread(logits, np.array([0, 1])) == pytest.approx(1.5)
    assert spread(logits + 7, np.array([0, 1])) == pytest.approx(1.5)
    assert spread(logits[:, :2], np.array([0, 1])) == pytest.approx((89 + 90) / 4)
    assert spread(np.zeros((2, 3)), np.array([0, 1])) == 1
