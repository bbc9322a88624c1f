"""How well wrong labels are found, and how many right ones are called wrong.

On real CLIP features, whole and as a tail (60 images of the first class down to 1 of the last),
with 0, 5 and 10% of the labels swapped for another class's at random. "confident" is cleanlab's
confident learning on the same out-of-fold probabilities, "likelihood" `fit_label_noise`.
``python benchmarks/label_noise.py FOLDER``, FOLDER with the .npz files of features and labels.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from cleanlab.filter import find_label_issues
from scipy.special import softmax
from sklearn.metrics import average_precision_score

from fishembed.classifiers import GaussianHead
from fishembed.classifiers.cross_validation import Folds, out_of_fold_logits
from fishembed.classifiers.temperature import best_scale
from fishembed.evaluation import fit_label_noise

SETS = ("oxford_pets", "oxford_flowers", "caltech101")
SIZES = ((1, 3), (4, 9), (10, 10_000))  # images of a class


def tail(y: np.ndarray, rng: np.random.Generator, most: int = 60) -> np.ndarray:
    """Draw rows of a long tail."""
    classes = rng.permutation(np.unique(y))
    counts = np.round(most ** (1 - np.arange(len(classes)) / (len(classes) - 1))).astype(int)
    pairs = zip(classes, counts, strict=True)
    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:n] for c, n in pairs])


def judge(X: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that can be judged, and their calibrated out-of-fold probabilities."""
    random = np.random.RandomState(0)
    folds = Folds.split(X, y, int(y.max()) + 1, 5, random=random)
    rows = np.flatnonzero(folds.evaluated)
    logits = out_of_fold_logits(GaussianHead(), folds)
    return rows, softmax(logits * best_scale(logits, y[rows]), axis=0).T.astype(np.float64)


def flags(y: np.ndarray, p: np.ndarray) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return for both ways a score, high for wrong labels, and which are called wrong."""
    judged, codes = np.unique(y, return_inverse=True)
    kept = p[:, judged] / p[:, judged].sum(axis=1, keepdims=True)
    bad = find_label_issues(codes, kept, filter_by="low_self_confidence", n_jobs=1)
    own = kept[np.arange(len(y)), codes]
    noise = fit_label_noise(codes, kept)
    return {
        "confident": (-own, bad & (kept.argmax(axis=1) != codes)),
        "likelihood": (-noise.p_given, noise.posterior > 0.5),
    }


def lines(name: str, X: np.ndarray, labels: np.ndarray, whole: bool) -> Iterator[str]:
    """Yield the lines of one data set."""
    rng = np.random.default_rng(0)
    rows = np.arange(len(labels)) if whole else tail(labels, rng)
    _, right = np.unique(labels[rows], return_inverse=True)
    k = int(right.max()) + 1
    for share in (0.0, 0.05, 0.1):
        wrong = rng.random(len(right)) < share
        y = np.where(wrong, (right + rng.integers(1, k, len(right))) % k, right)
        judged, p = judge(X[rows], y)
        planted, images = wrong[judged], np.bincount(y, minlength=k)[y[judged]]
        for way, (score, called) in flags(y[judged], p).items():
            found = ["–"] * 3
            if share:
                precision = planted[called].mean() if called.any() else 1
                values = average_precision_score(planted, score), precision, called[planted].mean()
                found = [f"{value:.2f}" for value in values]
            some = [(low <= images) & (images <= high) for low, high in SIZES]
            found += [f"{called[rows].sum()} of {rows.sum():,}" for rows in some]
            kind = name if whole else f"{name}, tail"
            yield f"| {kind} | {share:.0%} | {way} | " + " | ".join(found) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    sizes = " | ".join(f"flags, classes of {a}–{b}" for a, b in SIZES[:-1])
    print(f"| set | swapped | way | AP | precision | recall | {sizes} | flags, larger classes |")
    print("|---|---:|---|---:|---:|---:|---:|---:|---:|")
    for name in SETS:
        with np.load(folder / f"{name}.npz") as file:
            X, labels = file["features"].astype(np.float32), file["labels"]
        for whole in (True, False):
            print("\n".join(lines(name, X, labels, whole)), flush=True)


if __name__ == "__main__":
    main()
