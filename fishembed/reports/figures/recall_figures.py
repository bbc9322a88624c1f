"""Recall by class, and recall by training images, as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed.reports.figures.fonts import figure_names
from fishembed.reports.figures.style import (
    INK,
    LINE,
    MUTED,
    RIGHT,
    WRONG,
    new_axes,
    percent_axis,
    style,
    tick_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_result import ClassTable

_NAMED_UP_TO = 150


def draw_per_class(table: ClassTable) -> Figure | None:
    """Draw recall by class, best first, with intervals and counts.

    Above 150 classes no name could be read: the figure then shows the sorted profile.
    """
    order = table.by_recall
    if not len(order):
        return None
    with style(table.names):
        if len(order) > _NAMED_UP_TO:
            return _profile(table)
        figure, axes = new_axes(7.2, 0.7 + 0.19 * len(order))
        _bars(axes, table)
    return figure


def _bars(axes: Axes, table: ClassTable) -> None:
    order = table.by_recall
    at = np.arange(len(order))
    recall, low, high = table.recall[order], table.low[order], table.high[order]
    axes.barh(at, np.ones(len(at)), height=0.62, color=LINE, alpha=0.35)
    axes.barh(at, recall, height=0.62, color=RIGHT, alpha=0.85)
    axes.hlines(at, low, high, color=INK, linewidth=1)
    for row in at[table.correct[order] == 0]:
        axes.plot(0, row, "o", color=WRONG, markersize=4, clip_on=False)
    drawable = figure_names(table.names)
    names = tick_names([drawable[i] for i in order])
    axes.set_yticks(at, names)
    axes.set_xlim(0, 1)
    axes.set_ylim(len(at) - 0.4, -0.6)
    axes.grid(visible=False, axis="y")
    axes.spines["left"].set_visible(False)
    percent_axis(axes, "x")
    axes.set_xlabel("found (recall) with its 95% interval")
    _counts(axes, table)


def _counts(axes: Axes, table: ClassTable) -> None:
    """Write right of each bar how many images were scored and trained on."""
    trained = not np.isnan(table.n_train).all()
    # The two heads are the widest: they alone keep the room.
    _beside(axes, -1, "right / scored", 66, in_layout=True)
    if trained:
        _beside(axes, -1, "training photos", 118, in_layout=True)
    for row, i in enumerate(table.by_recall):
        _beside(axes, row, f"{table.correct[i]} / {table.n[i]}", 66)
        if not np.isnan(table.n_train[i]):
            _beside(axes, row, f"{table.n_train[i]:.0f}", 118)


def _beside(axes: Axes, row: float, text: str, points: float, *, in_layout: bool = False) -> None:
    """Write `text` so that it ends `points` right of the axes."""
    written = axes.annotate(
        text,
        (1, row),
        xycoords=axes.get_yaxis_transform(),
        xytext=(points, 0),
        textcoords="offset points",
        ha="right",
        va="center",
        fontsize=7.5,
        color=MUTED,
        annotation_clip=False,
    )
    written.set_in_layout(in_layout)


def _profile(table: ClassTable) -> Figure:
    figure, axes = new_axes(7.2, 3.2)
    order = table.by_recall
    rank = np.arange(1, len(order) + 1)
    axes.fill_between(
        rank, table.low[order], table.high[order], step="mid", color=RIGHT, alpha=0.25, linewidth=0
    )
    axes.step(rank, table.recall[order], where="mid", color=RIGHT, linewidth=1.4)
    axes.set_xlim(1, len(order))
    axes.set_ylim(0, 1)
    percent_axis(axes, "y")
    axes.set_xlabel(f"the {len(order):,} species, best first")
    axes.set_ylabel("found (recall) with its 95% interval")
    return figure


def draw_recall_by_training(table: ClassTable) -> Figure | None:
    """Draw each class's recall against its training images; None where none were trained on."""
    shown = table.trained_and_scored
    if not len(shown):
        return None
    with style():
        figure, axes = new_axes(height=3.1)
        n_train, recall = table.n_train[shown], table.recall[shown]
        colours = np.where(table.correct[shown] == 0, WRONG, RIGHT)
        points = axes.scatter(
            n_train, recall, s=_areas(table.n[shown]), c=colours, alpha=0.7, linewidths=0, zorder=3,
            clip_on=False,
        )  # fmt: skip
        points.set_gid("points")
        _log_scale(axes, n_train)
        axes.set_ylim(0, 1)
        percent_axis(axes, "y")
        axes.set_xlabel("training photos")
        axes.set_ylabel("found (recall)")
    return figure


def _areas(n: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return areas that grow with the scored images and stay large enough to point at."""
    return np.asarray(14 + 90 * np.sqrt(n / n.max()))


def _log_scale(axes: Axes, n_train: npt.NDArray[np.float64]) -> None:
    """Set a logarithmic scale that has a place for classes without training images."""
    from matplotlib.ticker import NullLocator

    low, high = float(n_train.min()), float(n_train.max())
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.3 if low < 1 else low / 1.3, max(high * 1.3, 2))
    ticks = _round_numbers(low, high)
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[int]:
    """Return 1, 2, 5, 10, 20 … within the range, only the tens where those are too many."""
    steps = [step * 10**power for power in range(8) for step in (1, 2, 5)]
    ticks = [step for step in steps if low / 1.3 <= step <= max(high * 1.3, 2)]
    if len(ticks) > 8:
        ticks = [step for step in ticks if str(step).startswith("1")]
    return ([0] if low < 1 else []) + ticks
