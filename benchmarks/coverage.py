"""How often the intervals that fishembed prints hold the truth, and how wide they are.

Hits are simulated: classes with a known recall, images in groups whose hits are correlated, two
classifiers whose hits go together. Nominal coverage is 95%. ``--full`` runs every cell (half an
hour on a free core), else a few of each kind; the same seed gives the same figures. ``--csv FILE``
keeps every cell.
"""

from __future__ import annotations

import argparse
import csv
import time
import zlib
from collections.abc import Iterator
from dataclasses import astuple, dataclass, fields
from itertools import product
from pathlib import Path

import numpy as np

from fishembed.evaluation import (
    macro_difference_interval,
    macro_recall_interval,
    proportion_intervals,
)

INTERVALS = (
    "accuracy",
    "class recall",
    "macro recall",
    "accuracy difference",
    "macro difference",
)
IMAGES = (1, 3, 5, 10, 20, "tail")
GROUPS = (("1", 0.0), *product(("5", "heavy"), (0.0, 0.3, 0.9)))
GAIN = 0.04
SHARED = 0.8  # of the images both classifiers see alike


@dataclass(frozen=True)
class Cell:
    """One structure of a test set.

    Attributes
    ----------
    images
        Images of each class, or "tail": 200 of the first class down to 1 of the last.
    classes
        Number of classes.
    groups
        Images of a group: 1, 5, or heavy-tailed sizes (Pareto, exponent 1).
    correlation
        Of the hits of two images of one group.
    recall
        Mean recall of the classes.
    spread
        Whether recalls differ by class (a beta distribution) or are all the same.
    """

    images: int | str
    classes: int
    groups: str
    correlation: float
    recall: float
    spread: bool


def cells(*, full: bool) -> Iterator[Cell]:
    """Yield the structures, all or a few of each kind."""
    sizes = IMAGES if full else (1, 5, "tail")
    classes = (5, 31, 100) if full else (31,)
    groups = GROUPS if full else (GROUPS[0], GROUPS[2], GROUPS[6])
    recalls = (0.3, 0.7, 0.95) if full else (0.7, 0.95)
    for size, k, (kind, correlation), recall, spread in product(
        sizes, classes, groups, recalls, (False, True)
    ):
        yield Cell(size, k, kind, correlation, recall, spread)


def structure(cell: Cell, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray | None]:
    """Draw the class and the group of every image."""
    counts = np.full(cell.classes, cell.images if cell.images != "tail" else 0)
    if cell.images == "tail":
        counts = np.round(200.0 ** (1 - np.arange(cell.classes) / (cell.classes - 1))).astype(int)
    y = np.repeat(np.arange(cell.classes), counts)
    if cell.groups == "1":
        return y, None
    sizes = []
    for count in counts.tolist():
        left = count
        while left > 0:
            size = 5 if cell.groups == "5" else int(np.ceil(rng.pareto(1.0) + 1e-9))
            sizes.append(min(size, left))
            left -= sizes[-1]
    return y, np.repeat(np.arange(len(sizes)), sizes)


def difficulty(n: int, groups: np.ndarray | None, correlation: float, rng: np.random.Generator):
    """Draw a uniform number for every image; two of one group share it so often."""
    own = rng.random(n)
    if groups is None or not correlation:
        return own
    shared = rng.random(groups.max() + 1)[groups]
    return np.where(rng.random(n) < np.sqrt(correlation), shared, own)


def simulate(cell: Cell, repeats: int, seed: int = 0) -> dict[str, tuple[float, float]]:
    """Return coverage and mean width of every interval."""
    rng = np.random.default_rng([seed, zlib.crc32(repr(cell).encode())])
    covered, width = dict.fromkeys(INTERVALS, 0.0), dict.fromkeys(INTERVALS, 0.0)
    for _ in range(repeats):
        y, groups = structure(cell, rng)
        k, r = cell.classes, cell.recall
        recall = rng.beta(2 * r, 2 * (1 - r), k) if cell.spread else np.full(k, r)
        gained = np.minimum(recall + GAIN, 1)
        hard = difficulty(len(y), groups, cell.correlation, rng)
        other = difficulty(len(y), groups, cell.correlation, rng)
        before = hard < recall[y]
        after = np.where(rng.random(len(y)) < SHARED, hard, other) < gained[y]
        one = np.zeros_like(y)
        truths = {
            "accuracy": recall[y].mean(),
            "class recall": recall,
            "macro recall": recall.mean(),
            "accuracy difference": (gained - recall)[y].mean(),
            "macro difference": (gained - recall).mean(),
        }
        ends = {
            "accuracy": proportion_intervals(before, groups)[0],
            "class recall": proportion_intervals(before, groups, y, k).T,
            "macro recall": macro_recall_interval(y, before, groups),
            "accuracy difference": macro_difference_interval(one, before, after, groups),
            "macro difference": macro_difference_interval(y, before, after, groups),
        }
        for name, (low, high) in ends.items():
            covered[name] += float(np.mean((low <= truths[name]) & (truths[name] <= high)))
            width[name] += float(np.mean(high - low))
    return {name: (covered[name] / repeats, width[name] / repeats) for name in INTERVALS}


def table(found: dict[Cell, dict[str, tuple[float, float]]], name: str) -> Iterator[str]:
    """Yield the lines of one interval's table: coverage as least–mean–most, and mean width."""
    kinds = sorted({(c.groups, c.correlation) for c in found})
    heads = [f"groups of {g}, {r:g}" if g != "1" else "no groups" for g, r in kinds]
    yield f"| {name}: images a class | " + " | ".join(heads) + " |"
    yield "|---" * (len(heads) + 1) + "|"
    for size in dict.fromkeys(c.images for c in found):
        entries = []
        for kind in kinds:
            some = [
                v[name]
                for c, v in found.items()
                if c.images == size and (c.groups, c.correlation) == kind
            ]
            hits, widths = (100 * np.array(some)).T
            entries.append(
                f"{hits.min():.0f}–{hits.mean():.0f}–{hits.max():.0f} ±{widths.mean() / 2:.0f}"
            )
        yield f"| {size} | " + " | ".join(entries) + " |"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--csv", type=Path)
    args = parser.parse_args()
    repeats = args.repeats or (200 if args.full else 100)
    began = time.perf_counter()
    found = {cell: simulate(cell, repeats, args.seed) for cell in cells(full=args.full)}
    for name in INTERVALS:
        print("\n".join(table(found, name)), end="\n\n")
    noise = 2 * np.sqrt(0.95 * 0.05 / repeats)
    for name in INTERVALS:
        shares = np.array([values[name][0] for values in found.values()])
        print(
            f"{name}: {np.mean(shares >= 0.93):.1%} of {len(shares)} cells at 93% or more, "
            f"{np.mean(shares < 0.93 - noise):.1%} surely below, "
            f"{np.mean(shares > 0.99):.1%} above 99%"
        )
        for cell, values in found.items():
            if values[name][0] < 0.93 - noise:
                print(f"  {values[name][0]:.3f} ±{values[name][1] / 2:.3f} {cell}")
    if args.csv:
        with args.csv.open("w", newline="") as stream:
            writer = csv.writer(stream)
            writer.writerow([*(f.name for f in fields(Cell)), "interval", "coverage", "width"])
            for cell, values in found.items():
                writer.writerows([*astuple(cell), name, *values[name]] for name in INTERVALS)
    print(f"{repeats} repeats a cell, {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
