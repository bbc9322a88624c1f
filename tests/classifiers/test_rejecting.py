from __future__ import annotations

import numpy as np
import pytest
from sklearn.base import clone

from fishembed.classifiers import GaussianHead
from fishembed.classifiers.rejecting import RejectingClassifier
from fishembed.errors import InputError

CENTRES = np.random.default_rng(7).normal(size=(5, 16)) * 2


def rows(n, seed):
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 5
    return CENTRES[labels] + rng.normal(size=(n, 16)), np.array(list("abcde"))[labels]


def test_known_rows_keep_their_class_and_strange_ones_do_not():
    head = RejectingClassifier(GaussianHead()).fit(*rows(150, 0))
    X, y = rows(150, 1)
    called = head.predict(X)
    assert (called == "unknown").mean() <= 0.12
    assert (called[called != "unknown"] == y[called != "unknown"]).mean() > 0.9
    strange = np.random.default_rng(3).normal(size=(60, 16)) * 3
    assert (head.predict(strange) == "unknown").mean() > 0.6
    assert head.estimator_.predict_proba(X).shape == (150, 5)


def test_the_rate_is_the_callers():
    X, y = rows(150, 0)
    few = RejectingClassifier(GaussianHead(), send_back=0.02).fit(X, y)
    many = clone(few).set_params(send_back=0.3, unknown="?").fit(X, y, groups=np.arange(150) // 5)
    new, _ = rows(300, 1)
    assert (few.predict(new) == "unknown").sum() < (many.predict(new) == "?").sum()
    with pytest.raises(InputError, match="send_back=3"):
        RejectingClassifier(GaussianHead(), send_back=3).fit(X, y)
