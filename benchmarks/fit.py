"""How much sooner a whole path of C is solved than by scikit-learn, one fit after the other.

Both sides run in this process on the same float32 rows. scikit-learn's criterion is the largest
entry of the gradient of the mean objective; it is given, for every C, the value that ours ended
with, and then again its default. Run with ``python benchmarks/fit.py [--every 3]``.
"""

from __future__ import annotations

import argparse
import time
import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import AutoHead, logistic_path

CS = np.logspace(-2, 4, 16)


def long_tailed_rows(n: int = 8791, dim: int = 512, n_classes: int = 31, seed: int = 0):
    """Draw unit vectors with a decaying spectrum, a large mean and 3 to 2,173 rows a class."""
    rng = np.random.default_rng(seed)
    share = np.exp(-np.arange(n_classes) / 3.5)
    counts = np.maximum(3, np.round(share / share.sum() * n)).astype(int)
    counts[0] += n - counts.sum()
    y = rng.permutation(np.repeat(np.arange(n_classes), counts))
    spectrum = (1 + np.arange(dim)) ** -0.6
    rotation = np.linalg.qr(rng.normal(size=(dim, dim)))[0]
    centres = rng.normal(size=(n_classes, dim)) * spectrum * 0.9
    X = (centres[y] + rng.normal(size=(n, dim)) * spectrum) @ rotation + 2 * rotation[0]
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), y


def objective(X, y, coef, intercept, C):
    """Value and largest gradient entry of scikit-learn's mean objective, in float64."""
    rows, coef = X.astype(np.float64), coef.astype(np.float64)
    logits = rows @ coef.T + intercept
    logits -= logits.max(axis=1, keepdims=True)
    p = np.exp(logits)
    total = p.sum(axis=1)
    at = np.arange(len(y))
    value = np.mean(np.log(total) - logits[at, y]) + 0.5 * (coef**2).sum() / C / len(y)
    p /= total[:, None]
    p[at, y] -= 1
    gradient = p.T @ rows / len(y) + coef / C / len(y)
    return value, max(np.abs(gradient).max(), np.abs(p.mean(axis=0)).max())


def theirs(X, y, C, tol):
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model = LogisticRegression(C=C, tol=tol, max_iter=20_000).fit(X, y)
    return model, time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="fit every n-th C by scikit-learn")
    every = parser.parse_args().every
    X, y = long_tailed_rows()
    logistic_path(X[:500], y[:500], CS[:2])  # load what is loaded lazily
    start = time.perf_counter()
    heads = logistic_path(X, y, CS)
    ours = time.perf_counter() - start
    print(f"{len(X)} x {X.shape[1]}, {y.max() + 1} classes, {len(CS)} C: ours {ours:.1f} s\n")
    print(
        "       C  steps | same tol: steps  seconds  objective  same calls | tol 1e-4: s  objective"
    )
    spent = np.zeros(2)
    for head in heads[::every]:
        value, gradient = objective(X, y, head.coef_, head.intercept_, head.C)
        same, seconds = theirs(X, y, head.C, gradient)
        default, default_seconds = theirs(X, y, head.C, 1e-4)
        spent += seconds, default_seconds
        gaps = [
            objective(X, y, m.coef_, m.intercept_, head.C)[0] / value - 1 for m in (same, default)
        ]
        agree = np.mean(same.predict(X) == head.predict(X))
        print(
            f"{head.C:8.2g} {head.n_iter_:6d} | {same.n_iter_[0]:15d} {seconds:8.2f} "
            f"{gaps[0]:+10.1e} {agree:11.4%} | {default_seconds:11.2f} {gaps[1]:+10.1e}"
        )
    ratios = spent * len(CS) / len(heads[::every]) / ours
    print(
        f"\nscikit-learn / ours: {ratios[0]:.1f} to the same tolerance, {ratios[1]:.1f} at its own"
    )
    start = time.perf_counter()
    head = AutoHead().fit(X, y)
    print(f"AutoHead: {time.perf_counter() - start:.1f} s, took {head.best_}")


if __name__ == "__main__":
    main()
