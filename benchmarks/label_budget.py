"""Macro recall by number of decisions: cluster, name, suggest, fit against labels at random.

The true labels are the person. One decision names a whole cluster by its most typical photo, or
labels one photo. Scores are of the rows of the split test, which are never labelled.

Run it as `python -P benchmarks/label_budget.py STORE …`: coverage.py beside it is no package.
"""

from __future__ import annotations

import argparse
import tempfile

import numpy as np

from fishembed import GaussianHead, cluster_store, import_features, open_store
from fishembed.explore.suggest import _capped, _regions, _typicality, suggestion_order


def recall(head, X, y) -> float:
    said = head.predict(X)
    return float(np.mean([(said[y == k] == k).mean() for k in np.unique(y)]))


def fitted(X, y):
    return GaussianHead().fit(X, y)


def curve(path, budgets, seed):
    with open_store(path) as store:
        X = store.embeddings(np.arange(len(store)))
        X = X / np.linalg.norm(X, axis=1, keepdims=True)
        y, splits, groups = store.labels, store.splits, np.array(store.groups, object)
        classes = store.classes
    pool, test = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "test")
    P, truth, own = X[pool], y[pool], list(groups[pool])
    order = np.random.default_rng(seed).permutation(len(pool))
    at_random, ours = {}, {}
    with tempfile.TemporaryDirectory() as folder:
        hidden = import_features({"features": P}, f"{folder}/hidden.h5")
        found = cluster_store(hidden, everything=True, seed=seed)
    for budget in budgets:
        chosen = order[:budget]
        known = len(np.unique(truth[chosen])) > 1
        at_random[budget] = (
            recall(fitted(P[chosen], truth[chosen]), X[test], y[test]) if known else 0
        )
        # A third of the decisions name clusters, the others label single photos.
        named = min(len(found.clusters), budget // 3)
        weak = np.full(len(P), -1)
        for cluster in found.clusters[:named]:
            near = cluster.rows[: max(1, len(cluster.rows) // 4)]
            weak[near] = truth[cluster.rows[0]]
        labels = weak.copy()
        left, sure = budget - named, np.zeros(len(P), bool)
        while left > 0:
            some = min(left, max(10, budget // 5))
            labelled = labels >= 0
            regions = _regions(P, int(sure.sum()) + named, some, seed)
            proba = None
            if len(np.unique(labels[labelled])) > 1:
                proba = fitted(P[labelled], labels[labelled]).predict_proba(P)
            ranked = suggestion_order(_typicality(P, regions), regions, sure, proba)
            taken = _capped([at for at, _ in ranked], own, sure, 1, some)
            labels[taken], sure[taken] = truth[taken], True
            left -= some
        use = labels >= 0
        ours[budget] = recall(fitted(P[use], labels[use]), X[test], y[test])
    return at_random, ours, len(classes)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--budgets", default="50,100,200,400,800")
    parser.add_argument("--seeds", type=int, default=2)
    given = parser.parse_args()
    budgets = [int(n) for n in given.budgets.split(",")]
    for path in given.stores:
        runs = [curve(path, budgets, seed) for seed in range(given.seeds)]
        print(f"{path}: {runs[0][2]} classes, macro recall % (decisions: random, suggested)")
        for budget in budgets:
            a, b = (100 * np.mean([run[k][budget] for run in runs]) for k in (0, 1))
            print(f"  {budget:5d}: {a:5.1f} {b:5.1f}", flush=True)


if __name__ == "__main__":
    main()
