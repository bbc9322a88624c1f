"""What every head makes of rare classes, on vectors thinned to a long tail.

Reads ``.npz`` files with `features`, `labels` and `splits` ("train", "test"), or draws rows where
none is given. Run with ``python benchmarks/rare_classes.py FILE.npz ... [--seeds 0 1]``.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
from fit import long_tailed_rows
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import (
    AutoHead,
    GaussianHead,
    LinearHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    ZeroShotClassifier,
)

HEADS = {
    "the paper's: linear, 7 epochs": LinearHead(),
    "linear, balanced softmax, 50 epochs": LinearHead(
        epochs=50, learning_rate=0.01, loss="balanced_softmax", schedule="cosine"
    ),
    "scikit-learn logistic, C=1": LogisticRegression(C=1, max_iter=2000),
    "scikit-learn logistic, C=100": LogisticRegression(C=100, max_iter=2000),
    "logistic": LogisticHead(),
    "logistic, balanced weights": LogisticHead(class_weight="balanced"),
    "logistic, prior corrected": PriorCorrectedClassifier(LogisticHead()),
    "nearest class mean": ZeroShotClassifier(),
    "nearest neighbours": NeighborsHead(),
    "Gaussian": GaussianHead(),
    "Gaussian, no shrunken means": GaussianHead(pseudo_count=0),
    "auto": AutoHead(),
}


def thin(y, ratio, seed, most):
    """Rows that remain when the classes, in random order, fall from `most` by `ratio` to 1."""
    rng = np.random.default_rng(seed)
    classes = rng.permutation(np.unique(y))
    kept = []
    for rank, label in enumerate(classes):
        n = max(1, round(most * ratio ** (-rank / (len(classes) - 1))))
        kept.append(rng.permutation(np.flatnonzero(y == label))[:n])
    return np.sort(np.concatenate(kept))


def read(path):
    file = np.load(path)
    X, y, split = file["features"].astype(np.float32), file["labels"], file["splits"].astype(str)
    return X[split == "train"], y[split == "train"], X[split == "test"], y[split == "test"]


def parts(files, ratio, seeds, most):
    """Training and test rows of every file as they are and thinned."""
    sets = [(Path(f).stem, *read(f)) for f in files]
    if not sets:
        X, y = long_tailed_rows()
        test = np.arange(len(y)) % 3 == 0
        sets = [("drawn", X[~test], y[~test], X[test], y[test])]
    for name, X, y, X_test, y_test in sets:
        yield "as it is", name, X, y, X_test, y_test
        for seed in seeds:
            kept = thin(y, ratio, seed, most)
            yield f"{ratio:g}:1", name, X[kept], y[kept], X_test, y_test


def measure(head, X, y, X_test, y_test):
    """Accuracy, macro recall, mean recall of the worst fifth, classes at zero, seconds."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        head.fit(X, y)
    seconds = time.perf_counter() - start
    hits = head.predict(X_test) == y_test
    recalls = np.sort([hits[y_test == label].mean() for label in np.unique(y_test)])
    fifth = recalls[: max(1, len(recalls) // 5)]
    return hits.mean(), recalls.mean(), fifth.mean(), (recalls == 0).mean(), seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="npz files; none draws rows")
    parser.add_argument("--ratio", type=float, default=20)
    parser.add_argument("--most", type=int, default=20, help="rows of the most frequent class")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    given = parser.parse_args()
    tables: dict[str, dict[str, list]] = {}
    for kind, name, *arrays in parts(given.files, given.ratio, given.seeds, given.most):
        for label, head in HEADS.items():
            figures = measure(head, *arrays)
            tables.setdefault(kind, {}).setdefault(label, []).append((name, figures))
    for kind, table in tables.items():
        names = list(dict.fromkeys(name for name, _ in next(iter(table.values()))))
        print(f"\n{kind}: mean over sets and seeds; then macro recall of each set")
        print(
            f"{'head':36}accuracy   macro   worst fifth   at zero   seconds   " + "  ".join(names)
        )
        for label, rows in table.items():
            a, m, f, z, s = np.mean([figures for _, figures in rows], axis=0)
            each = [np.mean([v[1] for n, v in rows if n == name]) for name in names]
            print(
                f"{label:36}{a:8.3f}{m:8.3f}{f:14.3f}{z:10.1%}{s:10.2f}   "
                + "  ".join(f"{v:{len(n)}.3f}" for v, n in zip(each, names, strict=True))
            )


if __name__ == "__main__":
    main()
