"""How much sooner a whole path of C is solved than by scikit-learn, one fit after the other.

Both sides run in this process on the same float32 rows. scikit-learn's criterion is the largest
entry of the gradient of the mean objective; it is given, for every C, the value that ours ended
with, with ``--defaults`` also its own. ``--every 3`` fits every third C by scikit-learn, ``--rows
10000 100000`` shows the growth with rows instead.
"""

from __future__ import annotations

import argparse
import resource
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


def compare(every: int, first: int, *, defaults: bool) -> None:
    """Time one path of ours and the chosen fits of theirs, and compare what they came to."""
    X, y = long_tailed_rows()
    logistic_path(X[:500], y[:500], CS[:2])  # load what is loaded lazily
    start = time.perf_counter()
    heads = logistic_path(X, y, CS)
    ours = time.perf_counter() - start
    print(f"{len(X)} x {X.shape[1]}, {y.max() + 1} classes, {len(CS)} C: ours {ours:.2f} s\n")
    print("       C  steps |     tol: steps  seconds  objective  same calls")
    chosen = heads[first::every]
    for default in (False, True)[: 1 + defaults]:
        spent = 0.0
        for head in chosen:
            value, gradient = objective(X, y, head.coef_, head.intercept_, head.C)
            model, seconds = theirs(X, y, head.C, 1e-4 if default else gradient)
            spent += seconds
            gap = objective(X, y, model.coef_, model.intercept_, head.C)[0] / value - 1
            agree = np.mean(model.predict(X) == head.predict(X))
            print(
                f"{head.C:8.2g} {head.n_iter_:6d} | {'default' if default else 'same':>7s} "
                f"{model.n_iter_[0]:7d} {seconds:8.2f} {gap:+10.1e} {agree:11.4%}",
                flush=True,
            )
        ratio = spent * len(CS) / len(chosen) / ours
        print(f"scikit-learn {spent:.1f} s for {len(chosen)} C; all / ours: {ratio:.1f}\n")
    start = time.perf_counter()
    head = AutoHead().fit(X, y)
    print(f"AutoHead: {time.perf_counter() - start:.1f} s, took {head.best_}")


def grow(sizes: list[int]) -> None:
    """Time one path over more and more rows."""
    for n in sizes:
        X, y = long_tailed_rows(n)
        start = time.perf_counter()
        heads = logistic_path(X, y, CS)
        seconds = time.perf_counter() - start
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        steps = sum(head.n_iter_ for head in heads)
        print(
            f"{n:9d} rows: {seconds:8.2f} s, {1e6 * seconds / n:6.1f} us a row, {steps} steps, "
            f"peak {peak:.2f} GiB, converged: {all(head.converged_ for head in heads)}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--every", type=int, default=1, help="fit every n-th C by scikit-learn")
    parser.add_argument("--first", type=int, default=0, help="position of the first C it fits")
    parser.add_argument("--defaults", action="store_true", help="and at its default tolerance")
    parser.add_argument("--rows", type=int, nargs="+", help="show the growth with rows instead")
    args = parser.parse_args()
    if args.rows:
        grow(args.rows)
    else:
        compare(args.every, args.first, defaults=args.defaults)


if __name__ == "__main__":
    main()
