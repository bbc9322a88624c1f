"""Runs side by side as one figure: their scores, and the recall of each class as dots."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed.reports.figures.figure_style import (
    INK,
    LINE,
    MUTED,
    figure_names,
    row_names,
    style,
    tick_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.comparison import Comparison

COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#b07d00", "#56b4e9")
"""Okabe & Ito's palette, its yellows darkened: distinct to every kind of colour vision."""

MARKERS = ("o", "s", "^", "D", "v", "P")
"""A shape for each run, so that runs differ not only in colour."""

OTHERS = len(COLOURS)
"""Runs from this place on are drawn alike, small and grey."""

_CLASSES = 60
_ROW = 0.19
_ASIDE = 0.012


@dataclass(frozen=True)
class ClassDots:
    """A class: its images, and its recall by each run, the best run first."""

    name: str
    n: int
    recalls: tuple[float, ...]

    @property
    def steps(self) -> tuple[int, ...]:
        """Number of better runs with the same recall: the steps to move each dot aside."""
        near = [round(100 * r) for r in self.recalls]
        return tuple(near[:i].count(one) for i, one in enumerate(near))

    @property
    def spread(self) -> float:
        """Difference between the highest and the lowest recall."""
        return max(self.recalls) - min(self.recalls)


def class_dots(comparison: Comparison) -> list[ClassDots]:
    """Return every class, those with the largest differences first, then those of least recall."""
    recalls = np.array([comparison.entries[i].recalls for i in comparison.best_first])
    dots = [
        ClassDots(name, int(n), tuple(column.tolist()))
        for name, n, column in zip(
            comparison.classes, comparison.class_sizes, recalls.T, strict=True
        )
    ]
    return sorted(dots, key=lambda one: (-round(one.spread, 6), min(one.recalls), one.name))


def draw_comparison(comparison: Comparison) -> Figure:
    """Draw the scores of each run with intervals, and below the recall of each class.

    Of more than 60 classes those are drawn that the runs differ most on.
    """
    from matplotlib.figure import Figure

    dots, names = class_dots(comparison), [entry.name for entry in comparison.entries]
    with style([*names, *comparison.classes]):
        shown = dots[:_CLASSES]
        heights = [0.25 * len(names) + 0.2, _ROW * len(shown) + 0.2]
        figure = Figure(figsize=(7.2, sum(heights) + 1.3), layout="constrained")
        grid = figure.add_gridspec(2, 2, height_ratios=heights)
        left = figure.add_subplot(grid[0, 0])
        right = figure.add_subplot(grid[0, 1], sharey=left)
        _scores(left, comparison, "macro_recall", "average over species (macro recall)")
        _scores(right, comparison, "accuracy", "share right")
        right.tick_params(labelleft=False)
        _classes(figure.add_subplot(grid[1, :]), shown, len(dots))
    return figure


def _scores(axes: Axes, comparison: Comparison, key: str, title: str) -> None:
    drawable = tick_names(figure_names([entry.name for entry in comparison.entries]))
    order = comparison.best_first
    for row, i in enumerate(order):
        entry = comparison.entries[i]
        axes.hlines(row, *getattr(entry, f"{key}_ci95"), color=INK, linewidth=1, zorder=2)
        axes.plot(getattr(entry, key), row, **_marker(row, 6), zorder=3)
    row_names(axes, [drawable[i] for i in order])
    axes.set_title(title)


def _classes(axes: Axes, shown: list[ClassDots], n_classes: int) -> None:
    names = tick_names(figure_names([one.name for one in shown]))
    for row, one in enumerate(shown):
        axes.hlines(row, min(one.recalls), max(one.recalls), color=LINE, linewidth=2.5, zorder=1)
        for place in reversed(range(len(one.recalls))):  # the best lies on top
            recall, step = one.recalls[place], one.steps[place] * _ASIDE
            at = recall - step if recall > 0.5 else recall + step
            axes.plot(at, row, **_marker(place, 4.5), zorder=3, clip_on=False)
    row_names(axes, [f"{n} ({c.n:,})" for n, c in zip(names, shown, strict=True)])
    axes.set_xlim(0, 1)
    few = len(shown) < n_classes
    which = f"the {len(shown)} of {n_classes:,} classes that differ most" if few else "each class"
    axes.set_xlabel(f"recall of {which} (images)")


def _marker(place: int, size: float) -> dict[str, Any]:
    colour, marker = (MUTED, ".") if place >= OTHERS else (COLOURS[place], MARKERS[place])
    return {"marker": marker, "color": colour, "markersize": size, "linestyle": "none"}
