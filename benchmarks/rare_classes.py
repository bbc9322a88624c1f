"""What every head makes of rare classes and few images, on vectors thinned to a long tail.

Reads ``.npz`` files with `features`, `labels` and `splits` ("train", "test"), or draws rows where
none is given: ``python benchmarks/rare_classes.py FILE.npz ... [--seeds 0 1]``.

``--draws 12`` compares `auto` with what it was before the angular family, paired: each draw
splits every file's rows anew into halves, and thins the training half to long tails of 20:1 and
50:1 and to k images a class. A file without training rows but with `text_features` gives draws of
``--classes`` classes and 1, 2 and 3 images, with words and without. ``--cache`` keeps what is done.
"""

from __future__ import annotations

import argparse
import json
import time
import warnings
from dataclasses import replace
from pathlib import Path
from unittest import mock

import numpy as np
from fit import long_tailed_rows
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import (
    AngularHead,
    AutoHead,
    GaussianHead,
    LinearHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    ZeroShotClassifier,
)
from fishembed.classifiers.model_choice import model_selection
from fishembed.classifiers.model_choice.model_grids import GaussianGrid, LogisticGrid, ZeroShotGrid
from fishembed.classifiers.model_choice.model_search import Candidate
from fishembed.classifiers.zero_shot import class_anchors

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
    "angular": AngularHead(),
    "auto": AutoHead(),
}
COLUMNS = ("macro", "accuracy", "worst fifth", "at zero", "log loss", "ECE", "seconds")
KINDS = ("20:1", "50:1", "k=1", "k=2", "k=4", "k=8", "k=16", "all")
BEFORE = "auto, before"


class AutoBefore(AutoHead):
    """The choice as it was: of one candidate or blend, without the angular family."""

    def fit(self, *args, **kwargs):  # noqa: D102
        with mock.patch.object(model_selection, "_SHARE_OF_ROWS", 0.2):
            return super().fit(*args, **kwargs)

    def _combined(self, search, everything):
        choose = search.scorer.choose
        tables = {}
        for scored in everything:
            tables.setdefault(scored.candidate.name, []).append(scored)
        best, *others = [
            table[choose([scored.scores for scored in table])[0]] for table in tables.values()
        ]
        candidates = list(everything)
        for other in others:
            parts = [*best.candidate.scaled(best.scores.scale).parts]
            own = other.candidate.scaled(other.scores.scale).parts
            mixed = [
                search._score(
                    Candidate(
                        (*(replace(p, scale=(1 - w) * p.scale) for p in parts),
                         *(replace(p, scale=w * p.scale) for p in own)),
                        search.log_priors,
                    ),
                    0.0,
                )
                for w in (0.3, 0.5, 0.7)
            ]  # fmt: skip
            candidates += mixed
            best = mixed[choose([scored.scores for scored in mixed])[0]]
        return candidates[choose([scored.scores for scored in candidates])[0]]

    def _grids(self, folds=None):  # noqa: ARG002
        taus = (0.0, 0.5, 1.0)
        shrinkages = (0.9, 0.7, 0.5, 0.3, 0.1)
        plain = [
            GaussianGrid(shrinkages, (0.0, 1.0, 2.0), taus=taus),
            LogisticGrid((10.0, 100.0, 1000.0), taus=taus),
        ]
        if self.text_features is None:
            return plain
        text = class_anchors(self.text_features)
        counts = (1.0, 2.0, 4.0, 8.0, 16.0)
        return [
            ZeroShotGrid(text=text),
            GaussianGrid(shrinkages, counts, taus=taus, text=text, name="text-anchored"),
            *plain,
        ]

    def _default(self):
        grid = next(g for g in self._grids() if isinstance(g, GaussianGrid))
        count = 1.0 if grid.text is None else 8.0
        return [(grid, {"shrinkage": 0.7, "pseudo_count": count}, 1.0)]

    def _prefers_default(self, folds):  # noqa: ARG002
        return False


def thin(y, ratio, rng, most):
    """Rows that remain when the classes, in random order, fall from `most` by `ratio` to 1."""
    classes = rng.permutation(np.unique(y))
    kept = []
    for rank, label in enumerate(classes):
        n = max(1, round(most * ratio ** (-rank / (len(classes) - 1))))
        kept.append(rng.permutation(np.flatnonzero(y == label))[:n])
    return np.sort(np.concatenate(kept))


def read(path):
    """Rows, labels, whether each is for training, and text features or None."""
    file = np.load(path)
    train = file["splits"].astype(str) == "train"
    text = file["text_features"] if "text_features" in file.files else None
    return file["features"].astype(np.float32), file["labels"], train, text


def parts(files, ratio, seeds, most):
    """Training and test rows of every file as they are and thinned."""
    sets = [(Path(f).stem, *read(f)[:3]) for f in files]
    if not sets:
        X, y = long_tailed_rows()
        sets = [("drawn", X, y, np.arange(len(y)) % 3 != 0)]
    for name, X, y, train in sets:
        rest = X[~train], y[~train]
        yield "as it is", name, X[train], y[train], *rest
        for seed in seeds:
            kept = np.flatnonzero(train)[thin(y[train], ratio, np.random.default_rng(seed), most)]
            yield f"{ratio:g}:1", name, X[kept], y[kept], *rest


def few(y, k, rng):
    """Rows of k images of each class."""
    return np.concatenate([rng.permutation(np.flatnonzero(y == c))[:k] for c in np.unique(y)])


def draws(path, seed, n_classes):
    """(kind, training rows, labels, test rows, labels, text) of one draw."""
    X, y, train, text = read(path)
    rng = np.random.default_rng([seed, len(y)])
    if not train.any() and text is not None:
        chosen = np.sort(rng.permutation(np.unique(y))[:n_classes])
        rows = np.flatnonzero(np.isin(y, chosen))
        X, y = X[rows], np.searchsorted(chosen, y[rows])
        for k in (1, 2, 3):
            kept = np.sort(few(y, k, rng))
            rest = np.setdiff1d(np.arange(len(y)), kept)
            yield f"k={k}, words", X[kept], y[kept], X[rest], y[rest], text[chosen]
            yield f"k={k}, no words", X[kept], y[kept], X[rest], y[rest], None
        return
    half = np.concatenate(
        [
            rng.permutation(of)[: len(of) // 2]
            for c in np.unique(y)
            if len(of := np.flatnonzero(y == c))
        ]
    )
    rest = np.setdiff1d(np.arange(len(y)), half)
    for kind in KINDS:
        if ":" in kind:
            ratio = int(kind.split(":")[0])
            kept = half[thin(y[half], ratio, rng, ratio)]
        else:
            kept = half if kind == "all" else half[few(y[half], int(kind[2:]), rng)]
        yield kind, X[kept], y[kept], X[rest], y[rest], None


def compared(text):
    """Heads that are compared on draws."""
    heads = {BEFORE: AutoBefore(text_features=text), "auto": AutoHead(text_features=text)}
    if text is None:
        return heads | {
            "angular": AngularHead(),
            "logistic, prior corrected": PriorCorrectedClassifier(LogisticHead()),
        }
    return heads | {
        "zero-shot": ZeroShotClassifier(text),
        "text-logistic": LogisticHead(text_features=text),
    }


def measure(head, X, y, X_test, y_test):
    """Return the figures of `COLUMNS`."""
    start = time.perf_counter()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        head.fit(X, y)
    seconds = time.perf_counter() - start
    probabilities = head.predict_proba(X_test)
    best = probabilities.argmax(axis=1)
    sure = probabilities.max(axis=1)
    hits = head.classes_[best] == y_test
    labels = np.unique(y_test)
    recalls = np.sort([hits[y_test == label].mean() for label in labels])
    fifth = recalls[: max(1, len(recalls) // 5)]
    true = probabilities[np.arange(len(y_test)), np.searchsorted(head.classes_, y_test)]
    loss = -np.log(np.maximum(true, 1e-30)).mean()
    bins = np.minimum((15 * sure).astype(int), 14)
    gaps = np.bincount(bins, hits - sure, 15)
    figures = (
        recalls.mean(), hits.mean(), fifth.mean(), (recalls == 0).mean(),
        loss, np.abs(gaps).sum() / len(hits), seconds,
    )  # fmt: skip
    return [float(figure) for figure in figures]


def paired(files, n_draws, n_classes, cache, only=None):
    """Measure the heads of `compared` on every draw; what the cache holds is not done again."""
    done = {}
    if cache and Path(cache).exists():
        for line in Path(cache).read_text().splitlines():
            *key, figures = json.loads(line)
            done[tuple(key)] = figures
    for seed in range(n_draws):
        for file in files:
            for kind, X, y, X_test, y_test, text in draws(file, seed, n_classes):
                for label, head in compared(text).items():
                    key = (kind, Path(file).stem, seed, label)
                    if key in done or (only and label not in only):
                        continue
                    done[key] = measure(head, X, y, X_test, y_test)
                    if cache:
                        with Path(cache).open("a") as stream:
                            stream.write(json.dumps([*key, done[key]]) + "\n")
    return done


def print_paired(done):
    """Print a table for each kind: means, and macro recall against `auto, before`."""
    for kind in dict.fromkeys(key[0] for key in done):
        of_kind = {key[1:]: value for key, value in done.items() if key[0] == kind}
        cells = list(dict.fromkeys(key[:2] for key in of_kind))
        complete = [c for c in cells if all((*c, h) in of_kind for h in (BEFORE, "auto"))]
        sets = sorted({name for name, _ in complete})
        print(f"\n{kind}: {len(complete)} draws of {', '.join(sets)}")
        print(f"{'head':27}" + "".join(f"{c:>12}" for c in COLUMNS) + "   macro against before")
        for label in dict.fromkeys(key[2] for key in of_kind):
            rows = [c for c in complete if (*c, label) in of_kind]
            if not rows:
                continue
            figures = np.array([of_kind[(*c, label)] for c in rows])
            change = 100 * (figures[:, 0] - [of_kind[(*c, BEFORE)][0] for c in rows])
            error = change.std(ddof=1) / len(change) ** 0.5 if len(change) > 1 else 0.0
            each = " ".join(
                f"{name} {change[[c[0] == name for c in rows]].mean():+.2f}" for name in sets
            )
            print(
                f"{label:27}" + "".join(f"{v:12.3f}" for v in figures.mean(axis=0))
                + f"   {change.mean():+.2f} ± {error:.2f} ({each})"
            )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", help="npz files; none draws rows")
    parser.add_argument("--ratio", type=float, default=20)
    parser.add_argument("--most", type=int, default=20, help="rows of the most frequent class")
    parser.add_argument("--seeds", type=int, nargs="*", default=[0, 1])
    parser.add_argument("--draws", type=int, help="compare auto with what it was, paired")
    parser.add_argument("--classes", type=int, default=200, help="--draws: of a file with words")
    parser.add_argument("--heads", nargs="+", help="--draws: measure no other")
    parser.add_argument("--cache", help="--draws: file that keeps what is measured")
    given = parser.parse_args()
    if given.draws:
        done = paired(given.files, given.draws, given.classes, given.cache, given.heads)
        print_paired(done)
        return
    tables: dict[str, dict[str, list]] = {}
    for kind, name, *arrays in parts(given.files, given.ratio, given.seeds, given.most):
        for label, head in HEADS.items():
            figures = measure(head, *arrays)
            tables.setdefault(kind, {}).setdefault(label, []).append((name, figures))
    for kind, table in tables.items():
        names = list(dict.fromkeys(name for name, _ in next(iter(table.values()))))
        print(f"\n{kind}: mean over sets and seeds; then macro recall of each set")
        print(f"{'head':36}" + "".join(f"{c:>12}" for c in COLUMNS) + "   " + "  ".join(names))
        for label, rows in table.items():
            means = np.mean([figures for _, figures in rows], axis=0)
            each = [np.mean([v[0] for n, v in rows if n == name]) for name in names]
            print(
                f"{label:36}" + "".join(f"{v:12.3f}" for v in means) + "   "
                + "  ".join(f"{v:{len(n)}.3f}" for v, n in zip(each, names, strict=True))
            )  # fmt: skip


if __name__ == "__main__":
    main()
