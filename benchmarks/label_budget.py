"""Macro recall by number of decisions: cluster, name, suggest, fix against labels at random.

The true labels are the person. One decision names a whole cluster, where all of its photos that
the page shows are of one class (else the most typical photo alone is named), or labels one photo.
Scores are of the rows of the split test, which are in no store that is labelled.

Run it as `python -P benchmarks/label_budget.py STORE …`: coverage.py beside it is no package.
"""

from __future__ import annotations

import argparse
import csv
import tempfile
from pathlib import Path

import numpy as np

from fishembed import (
    AutoHead,
    GaussianHead,
    cluster_store,
    import_features,
    open_store,
    suggest_store,
)
from fishembed.audit import fix_store

HEADS = {"gaussian": GaussianHead, "auto": AutoHead}
ROUND, DRAWS = 50, 5
SHOWN, EDGE = 12, 6


class Data:
    """The rows to label and those to score on."""

    def __init__(self, path, long_tail, seed):
        with open_store(path) as store:
            X = store.embeddings(np.arange(len(store)))
            self.X = X / np.linalg.norm(X, axis=1, keepdims=True)
            self.y, self.groups = np.array(store.labels), np.array(store.groups, object)
            splits = np.array(store.splits, object)
        self.pool, self.test = np.flatnonzero(splits == "train"), np.flatnonzero(splits == "test")
        if long_tail:
            self._long_tail(np.random.default_rng(seed))

    def _long_tail(self, random):
        """Draw a pool whose rarest class has 50 times fewer rows than its commonest."""
        pool, test, n = [], [], self.y.max() + 1
        for rank, k in enumerate(random.permutation(n)):
            rows = random.permutation(np.flatnonzero(self.y == k))
            held = max(5, len(rows) // 3)
            test += rows[: min(held, 25)].tolist()
            pool += rows[held:][: max(3, int((len(rows) - held) * 0.02 ** (rank / n)))].tolist()
        self.pool, self.test = np.array(pool), np.array(test)

    def recall(self, rows, labels, head):
        """Return the macro recall on the test rows of a head fitted to these."""
        if len(np.unique(labels)) < 2:
            return 0.0
        said, y = HEADS[head]().fit(self.X[rows], labels).predict(self.X[self.test]), None
        y = self.y[self.test]
        return float(np.mean([(said[y == k] == k).mean() for k in np.unique(y)]))


def at_random(data, budgets, seed, head):
    """Return the mean of several draws: with 25 labels one differs from the next by points."""
    orders = [np.random.default_rng(seed * DRAWS + k).permutation(data.pool) for k in range(DRAWS)]
    return [
        np.mean([data.recall(one[:n], data.y[one[:n]], head) for one in orders]) for n in budgets
    ]


def with_the_loop(data, budgets, seed, head):
    scores = {}
    with tempfile.TemporaryDirectory() as folder:
        paths = [f"{row}.jpg" for row in data.pool]
        given = {
            "features": data.X[data.pool],
            "paths": paths,
            "groups": data.groups[data.pool].tolist(),
        }
        store, table = import_features(given, f"{folder}/hidden.h5"), Path(folder, "decisions.csv")
        truth, done = data.y[data.pool], 0
        clusters = list(cluster_store(store, seed=seed).clusters)
        for budget in budgets:
            while done < budget:
                some = min(budget - done, ROUND)
                decided = _name(clusters[:some], truth)
                clusters = clusters[len(decided) :]
                left = some - len(decided)
                if decided:
                    _fix(store, table, paths, decided)
                if left:
                    found = suggest_store(store, top=left, seed=seed).chosen
                    _fix(store, table, paths, [([one.row], truth[one.row]) for one in found])
                done += some
            with open_store(store) as opened:
                names = np.array([int(name) for name in opened.classes])
                rows = np.flatnonzero(opened.labels >= 0)
                labels = names[opened.labels[rows]]
            scores[budget] = data.recall(data.pool[rows], labels, head)
    return [scores[budget] for budget in budgets]


def _name(clusters, truth):
    """Return (rows, class) of each cluster: all of it where what is shown is of one class."""
    decided = []
    for cluster in clusters:
        rows = cluster.rows
        shown = np.unique([*rows[:SHOWN], *rows[-EDGE:]])
        one = len(np.unique(truth[shown])) == 1
        decided.append((rows if one else rows[:1], truth[rows[0]]))
    return decided


def _fix(store, table, paths, decided):
    with table.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "action", "new_label"))
        writer.writerows((paths[row], "new", str(k)) for rows, k in decided for row in rows)
    fix_store(store, table)


def decisions_needed(score, budgets, curve):
    """Return how many decisions a curve needs to reach a score, between the budgets in line."""
    curve = np.maximum.accumulate(curve)
    if score > curve[-1]:
        return np.inf
    return float(np.interp(score, np.append(0, curve), np.append(0, budgets)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stores", nargs="+")
    parser.add_argument("--budgets", default="25,50,100,200,400")
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--head", choices=sorted(HEADS), default="gaussian")
    parser.add_argument("--long-tail", action="store_true", help="draw a pool with rare classes")
    given = parser.parse_args()
    wanted = [int(n) for n in given.budgets.split(",")]
    for path in given.stores:
        data = [Data(path, given.long_tail, seed) for seed in range(given.seeds)]
        pool = len(data[0].pool)
        budgets = [n for n in wanted if n < 0.8 * pool]
        more = [*budgets, *[n for n in (2 * budgets[-1], 4 * budgets[-1]) if n < pool], pool]
        loop, random = (
            100 * np.mean([run(one, ns, seed, given.head) for seed, one in enumerate(data)], axis=0)
            for run, ns in ((with_the_loop, budgets), (at_random, more))
        )
        print(f"{path}: {pool} rows, {len(np.unique(data[0].y[data[0].pool]))} classes; all labels "
              f"reach a macro recall of {random[-1]:.1f}%")  # fmt: skip
        print("  decisions   random   loop   random needs, times")
        for at, n in enumerate(budgets):
            needed = decisions_needed(loop[at], more, random)
            times = f"{needed:6.0f}  {needed / n:4.1f}" if np.isfinite(needed) else "more than all"
            print(f"  {n:9d}   {random[at]:6.1f}   {loop[at]:4.1f}   {times}", flush=True)


if __name__ == "__main__":
    main()
