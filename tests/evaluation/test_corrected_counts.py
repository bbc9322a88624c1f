from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fishembed.errors import InputError
from fishembed.evaluation.corrected_counts import (
    HeldOutRows,
    class_bias,
    class_shares,
    corrected_counts,
)

PLACES = 1.7 * np.array([[1, 0, 0], [0, 1, 0], [0, 0.6, 0.8]])


def rows(rng, counts, groups=None, wander=0.0):
    """Log likelihoods of rows of three classes, as one unit of noise leaves them."""
    codes = np.repeat(np.arange(3), counts)
    x = PLACES[codes] + rng.normal(size=(len(codes), 3))
    if groups is not None:
        x += wander * rng.normal(size=(int(groups.max()) + 1, 3))[groups]
    return -((x[:, None] - PLACES) ** 2).sum(axis=2) / 2, codes


def trial(seed, size=400, of=(60, 30, 20), concentration=1.0):
    rng = np.random.default_rng(seed)
    held_out = HeldOutRows(*rows(rng, of))
    truth = rng.multinomial(size, rng.dirichlet(np.full(3, concentration)))
    z, _ = rows(rng, truth)
    return truth, corrected_counts(z.argmax(axis=1), z, held_out, seed=seed)


@pytest.mark.parametrize("size", [40, 400, 4000])
@pytest.mark.parametrize("concentration", [0.2, 5.0])
def test_intervals_hold_the_truth_under_shifted_frequencies(size, concentration):
    held = []
    for seed in range(40):
        truth, found = trial(seed, size, concentration=concentration)
        held.append((found.low <= truth) & (truth <= found.high))
    assert 0.9 <= np.mean(held) <= 1


def test_the_correction_moves_towards_the_truth():
    plain, corrected = [], []
    for seed in range(30):
        truth, found = trial(seed)
        plain.append(np.abs(found.called - truth).sum())
        corrected.append(np.abs(found.expected - truth).sum())
        assert found.expected.sum() == pytest.approx(400)
    assert np.mean(corrected) < 0.6 * np.mean(plain)


def test_groups_that_are_mistaken_together_widen_the_intervals():
    rng = np.random.default_rng(0)
    groups = np.repeat(np.arange(12), 25)
    z, codes = rows(rng, (100, 100, 100), groups, wander=0.7)
    catch, _ = rows(rng, (100, 100, 100))
    alone, grouped = (
        corrected_counts(catch.argmax(axis=1), catch, HeldOutRows(z, codes, g))
        for g in (None, groups)
    )
    assert (grouped.high - grouped.low).sum() > 1.2 * (alone.high - alone.low).sum()


def test_the_shares_are_quapys():
    quapy = pytest.importorskip("quapy", exc_type=ImportError)
    rng = np.random.default_rng(0)
    z, _ = rows(rng, (300, 60, 20))
    even = np.full(3, 1 / 3)
    posterior = np.exp(z - z.max(axis=1, keepdims=True))
    posterior /= posterior.sum(axis=1, keepdims=True)
    theirs, _ = quapy.method.aggregative.EMQ.EM(even, posterior, epsilon=1e-8)
    assert class_shares(z, added=0) == pytest.approx(theirs, abs=2e-3)


def test_images_that_were_looked_at_are_certain():
    rng = np.random.default_rng(0)
    z, codes = rows(rng, (60, 40, 0))
    found = corrected_counts(z.argmax(axis=1), z, HeldOutRows(*rows(rng, (9, 9, 9))), codes)
    assert found.low.tolist() == found.high.tolist() == [60, 40, 0]
    assert found.expected.tolist() == [60, 40, 0]


def test_a_sample_that_was_looked_at_corrects_a_classifier_that_is_biased_here():
    rng = np.random.default_rng(3)
    held_out = HeldOutRows(*rows(rng, (200, 200, 200)))
    z, codes = rows(rng, (1000, 600, 400))
    z[:, 2] += 1.5  # all look like the third class in this light
    truth = np.where(rng.random(2000) < 0.25, codes, -1)
    counts = np.bincount(codes)
    alone = corrected_counts(z.argmax(axis=1), z, held_out)
    helped = corrected_counts(z.argmax(axis=1), z, held_out, truth)
    assert np.abs(helped.expected - counts).sum() < 0.5 * np.abs(alone.expected - counts).sum()


def test_what_does_not_fit_is_refused():
    held_out = HeldOutRows(np.zeros((2, 3)), np.array([0, 1]))
    with pytest.raises(InputError, match="do not fit"):
        corrected_counts([1], np.zeros((1, 2)), held_out)
    with pytest.raises(InputError, match="do not fit"):
        corrected_counts([1, 1], np.zeros((1, 3)), held_out)
    with pytest.raises(InputError, match="no held-out rows"):
        corrected_counts([1], np.zeros((1, 3)), HeldOutRows(np.zeros((0, 3)), np.array([], int)))


def test_an_empty_catch_has_no_fish():
    held_out = HeldOutRows(*rows(np.random.default_rng(0), (9, 9, 9)))
    found = corrected_counts([], np.zeros((0, 3)), held_out)
    assert found.low.tolist() == found.high.tolist() == [0, 0, 0]


def random_rows(n, seed=0, k=4):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    return rng.normal(size=(n, k)) + 2 * np.eye(k)[codes], codes


def test_probabilities_sum_to_the_rows_of_each_class():
    z, codes = random_rows(4000)
    wrong = 2 * z + [0.0, 1.0, -1.0, 0.5]
    share = np.log(np.bincount(codes) / len(codes))
    found = softmax(wrong + class_bias(wrong, codes) + share, axis=1).sum(axis=0)
    assert found == pytest.approx(np.bincount(codes), rel=0.02)


def test_a_class_of_few_rows_is_hardly_moved():
    z, codes = random_rows(2000)
    wrong = 2 * z + [0, 0, 0, 3.0]
    few = np.flatnonzero(codes == 3)[1:]
    rare = class_bias(np.delete(wrong, few, axis=0), np.delete(codes, few))
    assert abs(rare[3]) < abs(class_bias(wrong, codes)[3])


def test_no_rows_have_no_bias():
    assert class_bias(np.empty((0, 3)), np.empty(0, int)).tolist() == [0, 0, 0]


def test_very_many_cells_are_sampled(monkeypatch):
    z, codes = random_rows(4000)
    whole = class_bias(2 * z, codes)
    monkeypatch.setattr("fishembed.evaluation.corrected_counts._MOST_CELLS", 8000)
    assert class_bias(2 * z, codes) == pytest.approx(whole, abs=0.2)
