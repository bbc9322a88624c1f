"""Measure the field's questions on features: unknown images, sets, priors, counts.

Reads ``.npz`` files with `features`, `labels` and `splits` ("train", "test"):
``python benchmarks/field.py FILE.npz ... [--head auto] [--choices 5] [--catches 500]``. Stores
(.h5) are read too, with their groups. Every table's intervals are over the choices or the simulated
catches; ``--only unknown`` (or sets, counts) makes one of them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.special import log_softmax

from fishembed._base.arrays import upper_quantile
from fishembed.cache import open_store
from fishembed.classifiers import AutoHead, GaussianHead
from fishembed.classifiers.cross_validation import HeldOutLogits
from fishembed.classifiers.novelty import indecision
from fishembed.classifiers.saved.saved_head import saved_head
from fishembed.classifiers.temperature import temperature_of
from fishembed.evaluation.confidence import conformal_sets
from fishembed.evaluation.corrected_counts import corrected_counts, error_width
from fishembed.evaluation.rejection import separation
from fishembed.experiments.held_out import score_held_out
from fishembed.experiments.predicting.class_frequencies import estimate_prior, held_out_rows
from fishembed.experiments.training import TrainingData

_SAME_KIND = {"caltech101": (30, 59, 89, 94, 96)}
"""Classes that are flowers, cats or dogs, as the other two sets are: not another kind to these."""

_WIDTHS = 5
"""Draws that all catches share in turn: simulating them for each would take hours."""


def read(path: Path) -> tuple:
    if path.suffix == ".h5":
        with open_store(path) as store:
            X, y = np.asarray(store.embeddings(np.arange(len(store)))), store.labels
            train, test, groups = store.splits == "train", store.splits == "test", store.groups
        groups = np.array([g or f"#{i}" for i, g in enumerate(groups)])
        return X[train], y[train], groups[train], X[test], y[test]
    with np.load(path) as file:
        X, y, train = file["features"].astype(np.float32), file["labels"], file["splits"] == "train"
    return X[train], y[train], None, X[~train], y[~train]


def fitted(X, y, groups, name="gaussian"):
    head = AutoHead().fit(X, y, groups=groups) if name == "auto" else GaussianHead().fit(X, y)
    logits = HeldOutLogits.of(head, X, y, groups)
    chosen = name == "auto"  # its logits are calibrated
    temperature = 1.0 if chosen else temperature_of(logits, np.unique(y, return_inverse=True)[1])
    kept = score_held_out(head, TrainingData(X, y, groups, None), logits, temperature, 0)
    return saved_head(head.fitted_map.scaled(1 / temperature), head.classes_), kept


def without(name: str, data: tuple) -> tuple:
    """Leave out the classes of a set that are of the other sets' kind."""
    X, y, groups, X_test, y_test = data
    a, b = (~np.isin(labels, _SAME_KIND.get(name, ())) for labels in (y, y_test))
    return X[a], y[a], None if groups is None else groups[a], X_test[b], y_test[b]


def spread(values: list[float]) -> str:
    """Write a mean of shares in percent, and the least and the largest of them."""
    v = 100 * np.array(values)
    return f"{v.mean():.1f} ({v.min():.1f} to {v.max():.1f})"


def by_score(known, undecided, distance) -> dict:
    """Return each score alone, the two distances together, and all of them."""
    far = known.farness(distance)
    return {
        "probability": undecided,
        "relative Mahalanobis": distance[:, 0],
        "whitened cosine": distance[:, 1],
        "both distances": far.sum(axis=1),
        "combined": known.strangeness(undecided, distance),
    }


def unknown(name: str, sets: dict, choices: int, head_name: str) -> None:
    X, y, groups, X_test, y_test = without(name, sets[name])
    rows: dict[tuple[str, str], list] = {}
    for seed in range(choices):
        rng = np.random.default_rng(seed)
        out = rng.permutation(np.unique(y))[: max(3, len(np.unique(y)) // 5)]
        keep = ~np.isin(y, out)
        grouped = None if groups is None else groups[keep]
        head, kept = fitted(X[keep], y[keep], grouped, head_name)
        known = kept.known
        others = [
            s[3] for other, s in sets.items() if other != name and s[3].shape[1] == X.shape[1]
        ]
        kinds = {"known": X_test[~np.isin(y_test, out)], "unseen": X_test[np.isin(y_test, out)]}
        if others:
            kinds["another kind"] = np.concatenate(others)
        scores = {}
        for kind, Z in kinds.items():
            a, d = indecision(head.logits(Z)), kept.distances(Z)
            scores[kind] = by_score(known, a, d)
        own = by_score(known, kept.indecision, kept.distance)
        limits = {score: upper_quantile(v, 0.95, kept.grouped) for score, v in own.items()}
        for kind in list(kinds)[1:]:
            for score, limit in limits.items():
                found = separation(scores["known"][score], scores[kind][score], limit)
                rows.setdefault((kind, score), []).append(found)
    for (kind, score), found in rows.items():
        cells = [spread([getattr(f, a) for f in found]) for a in ("auroc", "caught", "sent_back")]
        print(f"| {name} | {kind} | {score} | {' | '.join(cells)} |", flush=True)


def sets_table(name: str, data: tuple, head_name: str) -> None:
    X, y, groups, X_test, y_test = data
    began = time.perf_counter()
    head, kept = fitted(X, y, groups, head_name)
    fit_seconds, began = time.perf_counter() - began, time.perf_counter()
    at = np.isin(y_test, head.classes_)
    p, true = head.predict_proba(X_test[at]), np.searchsorted(head.classes_, y_test[at])
    kept.known.strangeness(indecision(head.logits(X_test)), kept.distances(X_test))
    balanced = (1 / np.maximum(np.bincount(kept.codes, minlength=len(head.classes_)), 1))[
        kept.codes
    ]
    for label, weights in (("over images", None), ("over classes", balanced)):
        t = upper_quantile(1 - kept.p_true, 0.95, kept.grouped, weights)
        inside = conformal_sets(p, t)
        held = inside[np.arange(len(true)), true]
        by_class = [held[true == c].mean() for c in np.unique(true)]
        print(
            f"| {name} | {label} | {100 * held.mean():.1f} | {100 * np.mean(by_class):.1f} | "
            f"{100 * np.mean(np.array(by_class) < 0.85):.0f} | {inside.sum(axis=1).mean():.2f} | "
            f"{fit_seconds:.1f} + {time.perf_counter() - began:.1f} |",
            flush=True,
        )
    priors(name, kept, p, true)


def catches(true, rng, alpha, size):
    classes = np.unique(true)
    shares = rng.dirichlet(np.full(len(classes), alpha))
    drawn = rng.choice(classes, size, p=shares)
    return np.concatenate(
        [rng.choice(np.flatnonzero(true == c), int((drawn == c).sum())) for c in classes]
    )


def priors(name, kept, p, true) -> None:
    z = np.log(np.maximum(p, 1e-30))
    own = kept.log_prior
    for alpha in (5.0, 0.5, 0.1):
        rows: dict[str, list] = {}
        for seed in range(10):
            at = catches(true, np.random.default_rng(seed), alpha, 500)
            share = np.maximum(np.bincount(true[at], minlength=len(own)), 0.5) / len(at)
            ways = {
                "uniform": -own,
                "train": np.log(kept.counts / kept.counts.sum()) - own,
                "estimate": np.log(estimate_prior(z[at], own)) - own,
                "known": np.log(share / share.sum()) - own,
            }
            for way, shift in ways.items():
                q = log_softmax(z[at] + shift, axis=1)
                right = q.argmax(axis=1) == true[at]
                recall = np.mean([right[true[at] == c].mean() for c in np.unique(true[at])])
                loss = -q[np.arange(len(at)), true[at]].mean()
                rows.setdefault(way, []).append((loss, recall))
        for way, found in rows.items():
            losses, recalls = np.array(found).T
            print(
                f"| prior | {name} | {alpha:g} | {way} | {losses.mean():.3f} "
                f"({losses.min():.3f} to {losses.max():.3f}) | {spread(list(recalls))} |",
                flush=True,
            )


def counts_table(name: str, data: tuple, n_catches: int, head_name: str) -> None:
    X, y, groups, X_test, y_test = data
    head, kept = fitted(X, y, groups, head_name)
    at = np.isin(y_test, head.classes_)
    true, logits = np.searchsorted(head.classes_, y_test[at]), head.logits(X_test[at])
    held_out, k = held_out_rows(kept), len(head.classes_)
    held, present, plain, corrected, sizes, widths, seconds = ([] for _ in range(7))
    for seed in range(_WIDTHS):
        began = time.perf_counter()
        widths.append(error_width(held_out, 400, seed=seed))
        seconds.append(time.perf_counter() - began)
    for seed in range(n_catches):
        rows = catches(true, np.random.default_rng(seed), (5.0, 0.5, 0.1)[seed % 3], 400)
        truth = np.bincount(true[rows], minlength=k)
        z, width = logits[rows], widths[seed % _WIDTHS]
        found = corrected_counts(z.argmax(axis=1), z - kept.log_prior, held_out, width=width)
        inside = (found.low <= truth) & (truth <= found.high)
        held.append(inside.mean())
        present.append(inside[truth > 0].mean())
        plain.append(np.abs(found.called - truth).sum() / 800)
        corrected.append(np.abs(found.expected - truth).sum() / 800)
        sizes.append((found.high - found.low).mean())
    error = 196 * np.std(held) / np.sqrt(n_catches)
    print(
        f"| counts | {name} | {n_catches} | {100 * np.mean(held):.1f} ± {error:.1f} | "
        f"{100 * np.mean(present):.1f} | {np.mean(sizes):.1f} | {100 * np.mean(plain):.1f} | "
        f"{100 * np.mean(corrected):.1f} | {np.median(seconds):.2f} |",
        flush=True,
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--choices", type=int, default=5)
    parser.add_argument("--catches", type=int, default=500)
    parser.add_argument("--head", choices=["gaussian", "auto"], default="gaussian")
    parser.add_argument("--only", choices=["sets", "unknown", "counts"])
    given = parser.parse_args()
    sets = {path.stem: read(path) for path in given.files}
    for name, data in sets.items():
        if given.only in (None, "sets"):
            sets_table(name, data, given.head)
        if given.only in (None, "unknown"):
            unknown(name, sets, given.choices, given.head)
        if given.only in (None, "counts"):
            counts_table(name, data, given.catches, given.head)


if __name__ == "__main__":
    main()
