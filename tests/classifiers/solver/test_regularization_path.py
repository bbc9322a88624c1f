from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import LogisticHead, logistic_path
from fishembed.errors import InputError

CS = (0.01, 1.0, 100.0, 10_000.0)


def _rows(n: int = 400, dim: int = 20, n_classes: int = 5) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    y = rng.integers(0, n_classes, n)
    return rng.normal(size=(n, dim)) + 1.2 * rng.normal(size=(n_classes, dim))[y] + 2, y


def _objective(X, y, coef, intercept, C):
    logits = X @ coef.T.astype(float) + intercept
    top = logits.max(axis=1)
    loss = np.log(np.exp(logits - top[:, None]).sum(axis=1)) + top - logits[np.arange(len(y)), y]
    return C * loss.sum() + 0.5 * (coef.astype(float) ** 2).sum()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_value_on_the_path_reaches_scikit_learns_optimum(dtype):
    X, y = _rows()
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    for C, head in zip(CS, logistic_path(X.astype(dtype), y, CS), strict=True):
        theirs = LogisticRegression(C=C, tol=1e-10, max_iter=50_000, solver="newton-cg").fit(X, y)
        best = _objective(X, y, theirs.coef_, theirs.intercept_, C)
        assert _objective(X, y, head.coef_, head.intercept_, C) <= best * (1 + 1e-6)
        assert np.mean(head.predict(X) == theirs.predict(X)) >= 0.999
        assert head.converged_
        assert head.gap_ <= 1e-7


def test_the_path_comes_in_the_order_asked_for():
    X, y = _rows()
    heads = logistic_path(X, y, (10.0, 0.1, 1.0))
    assert [head.C for head in heads] == [10.0, 0.1, 1.0]
    assert [head.classes_.tolist() for head in heads] == [[0, 1, 2, 3, 4]] * 3
    assert heads[2].predict_proba(X) == pytest.approx(
        LogisticHead(1.0).fit(X, y).predict_proba(X), abs=1e-3
    )


def test_bad_values_of_c_are_refused():
    X, y = _rows()
    with pytest.raises(InputError, match="Cs is empty"):
        logistic_path(X, y, [])
    with pytest.raises(InputError, match=r"C=-1\.0"):
        logistic_path(X, y, [1.0, -1.0])
