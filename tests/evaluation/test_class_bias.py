from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fishembed.evaluation.class_bias import class_bias


def rows(n, seed=0, k=4):
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, k, n)
    return rng.normal(size=(n, k)) + 2 * np.eye(k)[codes], codes


def test_probabilities_sum_to_the_rows_of_each_class():
    z, codes = rows(4000)
    wrong = 2 * z + [0.0, 1.0, -1.0, 0.5]
    share = np.log(np.bincount(codes) / len(codes))
    found = softmax(wrong + class_bias(wrong, codes) + share, axis=1).sum(axis=0)
    assert found == pytest.approx(np.bincount(codes), rel=0.02)


def test_a_class_of_few_rows_is_hardly_moved():
    z, codes = rows(2000)
    wrong = 2 * z + [0, 0, 0, 3.0]
    few = np.flatnonzero(codes == 3)[1:]
    rare = class_bias(np.delete(wrong, few, axis=0), np.delete(codes, few))
    assert abs(rare[3]) < abs(class_bias(wrong, codes)[3])


def test_no_rows_have_no_bias():
    assert class_bias(np.empty((0, 3)), np.empty(0, int)).tolist() == [0, 0, 0]


def test_very_many_cells_are_sampled(monkeypatch):
    z, codes = rows(4000)
    whole = class_bias(2 * z, codes)
    monkeypatch.setattr("fishembed.evaluation.class_bias._MOST_CELLS", 8000)
    assert class_bias(2 * z, codes) == pytest.approx(whole, abs=0.2)
