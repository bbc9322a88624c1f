"""The dot plot of a comparison: recall of each class by each run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from fishembed.experiments.comparison import Comparison

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9")
"""Okabe & Ito's palette, its yellows darkened: distinct to every kind of colour vision."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""A shape for each, so that colour is not all that tells runs apart."""

OTHERS = len(COLOURS)
"""Runs from this place on are drawn alike, small and grey."""


@dataclass(frozen=True)
class ClassDots:
    """A class: its images, and its recall by each run, the best run first."""

    name: str
    n: int
    recalls: tuple[float, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """How many better runs have the same recall: so far each dot is moved aside."""
        near = [round(100 * r) for r in self.recalls]
        return tuple(near[:i].count(one) for i, one in enumerate(near))

    @property
    def spread(self) -> float:
        """Difference between the highest and the lowest recall."""
        return max(self.recalls) - min(self.recalls)


def class_dots(comparison: Comparison) -> list[ClassDots]:
    """Return every class, those that runs differ most on first, then those recognised least."""
    recalls = np.array([comparison.entries[i].recalls for i in comparison.best_first])
    dots = [
        ClassDots(name, int(n), tuple(column.tolist()))
        for name, n, column in zip(
            comparison.classes, comparison.class_sizes, recalls.T, strict=True
        )
    ]
    return sorted(dots, key=lambda one: (-round(one.spread, 6), min(one.recalls), one.name))
