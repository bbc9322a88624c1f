from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import LogisticHead, SweptLogisticHead
from fishembed.classifiers.sweep import CLIP_CS
from fishembed.errors import InputError

RNG = np.random.default_rng(0)
CENTRES = RNG.normal(size=(4, 16))
Y = np.repeat(np.arange(4), [40, 30, 20, 10])
X = (CENTRES[Y] + 2 * RNG.normal(size=(100, 16))).astype(np.float32)
VAL = np.repeat(np.arange(4), 50)
X_VAL = (CENTRES[VAL] + 2 * RNG.normal(size=(200, 16))).astype(np.float32)


def test_the_values_are_clips():
    assert len(CLIP_CS) == 96
    assert (CLIP_CS[0], CLIP_CS[-1]) == pytest.approx((1e-6, 1e6))
    assert np.diff(np.log10(CLIP_CS)) == pytest.approx(12 / 95)


def test_the_value_taken_is_best_on_validation_rows():
    Cs = [100.0, 0.01, 1.0]
    head = SweptLogisticHead(Cs).fit(X, Y, X_val=X_VAL, y_val=VAL)
    scores = {C: LogisticHead(C).fit(X, Y).score(X_VAL, VAL) for C in Cs}
    assert scores[head.C_] >= max(scores.values()) - 0.011  # solved to 1e-4 to be compared
    assert len(head.results_) == 3
    assert head.results_[0].parameters == {"C": head.C_}
    plain = LogisticHead(head.C_).fit(X, Y)
    assert (plain.predict(X_VAL) == head.predict(X_VAL)).mean() > 0.99


def test_cross_validation_where_there_are_no_validation_rows():
    head = SweptLogisticHead([0.01, 1, 100]).fit(X, Y)
    best = max(head.results_, key=lambda trial: trial.accuracy)
    assert head.results_[0].accuracy == best.accuracy
    single = np.unique(Y, return_index=True)[1]
    assert SweptLogisticHead([1]).fit(X[single], Y[single]).score(X[single], Y[single]) == 1


def test_values_that_are_none_are_refused():
    for Cs in ([], [0.0, 1.0]):
        with pytest.raises(InputError, match="above 0"):
            SweptLogisticHead(Cs).fit(X, Y)
