from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import LogisticHead, ZeroShotClassifier
from fishembed.errors import DimensionError, InputError


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


TEXT = np.random.default_rng(5).normal(size=(3, 8))


def _around(X, y, C, text, scale):
    """The objective of a regression around text weights, minimised by SciPy."""
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    onehot = np.eye(len(text))[y]

    def objective(flat):
        delta = flat.reshape(text.shape)
        logits = rows @ (scale * unit + delta).T
        value = (logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean()
        gradient = (softmax(logits, axis=1) - onehot).T @ rows / len(y) + delta / C / len(y)
        return value + 0.5 * (delta**2).sum() / C / len(y), gradient.ravel()

    best = minimize(objective, np.zeros(text.size), jac=True, tol=1e-12, method="BFGS")
    return scale * unit + best.x.reshape(text.shape)


@pytest.mark.parametrize("C", [0.5, 100.0])
@pytest.mark.parametrize("n", [3, 60])  # fewer rows than dimensions, and more
def test_around_text_it_is_the_optimum_of_its_objective(C, n):
    rng = np.random.default_rng(n)
    y = np.arange(n) % 3
    X = TEXT[y] + 2 * rng.normal(size=(n, 8))
    head = LogisticHead(C, text_features=TEXT, logit_scale=10.0).fit(X, y)
    assert head.converged_
    assert not head.intercept_.any()
    expected = _around(X, y, C, TEXT, 10.0)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert head.predict_proba(X) == pytest.approx(softmax(unit @ expected.T, axis=1), abs=2e-4)


def test_a_strong_penalty_leaves_the_zero_shot_classifier():
    rng = np.random.default_rng(0)
    y = np.arange(30) % 3
    X = rng.normal(size=(30, 8))
    head = LogisticHead(1e-9, text_features=TEXT).fit(X, y)
    zero_shot = ZeroShotClassifier(TEXT).fit()
    assert head.logits(X) == pytest.approx(zero_shot.logits(X), abs=1e-5)
    with pytest.raises(DimensionError, match="3 classes of width 8"):
        LogisticHead(text_features=TEXT[:2]).fit(X, y)


def test_around_text_rows_read_by_chunks_give_the_same(tmp_path):
    y = np.arange(60) % 3
    X = (TEXT[y] + np.random.default_rng(1).normal(size=(60, 8))).astype(np.float32)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        streamed = LogisticHead(text_features=TEXT).fit(file.create_dataset("x", data=X), y)
    whole = LogisticHead(text_features=TEXT).fit(X, y)
    assert streamed.predict_proba(X) == pytest.approx(whole.predict_proba(X), abs=1e-3)
