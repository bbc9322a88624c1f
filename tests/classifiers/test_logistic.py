from __future__ import annotations

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import LogisticHead
from fishembed.errors import InputError


def _rows(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, 200)
    return rng.normal(size=(200, 6)) * 3 + np.eye(6)[y] * 4, y


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 1: 0.5}])
def test_the_optimum_is_scikit_learns(n_classes, class_weight):
    X, y = _rows(n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    ours = LogisticHead(10, class_weight=class_weight, tol=1e-8).fit(X, y, weight)
    theirs = LogisticRegression(C=10, class_weight=class_weight, tol=1e-8, max_iter=1000)
    assert ours.predict_proba(X) == pytest.approx(
        theirs.fit(unit, y, weight).predict_proba(unit), abs=1e-4
    )


def test_two_classes_have_two_rows():
    head = LogisticHead().fit(*_rows(2))
    assert head.coef_.shape == (2, 6)
    assert head.decision_function(_rows(2)[0]).shape == (200,)


def test_the_scale_of_a_row_does_not_matter():
    X, y = _rows(3)
    stretched = X * np.random.default_rng(1).uniform(0.1, 10, (len(X), 1))
    assert (
        LogisticHead().fit(X, y).predict(X) == LogisticHead().fit(stretched, y).predict(X)
    ).all()


def test_stopping_early_is_said():
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        head = LogisticHead(max_iter=2).fit(*_rows(3))
    assert not head.converged_
    assert LogisticHead().fit(*_rows(3)).converged_


def test_single_precision_stays_single():
    X, y = _rows(3)
    assert LogisticHead().fit(X.astype(np.float32), y).coef_.dtype == np.float32


def test_one_class_is_refused():
    X, _ = _rows(3)
    with pytest.raises(InputError, match="at least two classes, got 1 class: 'asp'"):
        LogisticHead().fit(X, ["asp"] * len(X))
