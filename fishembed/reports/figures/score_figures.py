"""Figures of scores: recall by class, calibration, accuracy by value of a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import printable
from fishembed.reports.figures.figure_style import (
    DASHED,
    INK,
    LINE,
    MUTED,
    RIGHT,
    WRONG,
    figure_names,
    new_axes,
    percent_axis,
    row_names,
    style,
    tick_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_result import ClassTable, RunResult

FIELD_FIGURES = ("by", "leave_out", "risk_coverage")

_NAMED_UP_TO = 150
_VALUES = 30


def draw_reliability(result: RunResult) -> Figure | None:
    """Draw accuracy against confidence; None where the run has no confidence."""
    bins = result.reliability
    if bins is None:
        return None
    with style():
        figure, axes = new_axes()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=DASHED)
        axes.vlines(bins.confidence, bins.low, bins.high, color=RIGHT, linewidth=1.2, alpha=0.6)
        axes.plot(bins.confidence, bins.accuracy, color=RIGHT, linewidth=1.2)
        areas = 10 + 70 * bins.n / bins.n.max()
        axes.scatter(
            bins.confidence, bins.accuracy, s=areas, color=RIGHT, zorder=3, clip_on=False
        ).set_gid("points")
        percent_axis(axes, "xy")
        axes.set(xlim=(0, 1), ylim=(0, 1), xlabel="how sure it was", ylabel="right")
    return figure


def draw_acceptance(result: RunResult) -> Figure | None:
    """Draw the shares accepted and right, by the confidence from which predictions are accepted.

    None where the run has no confidence.
    """
    found = result.acceptance
    if found is None:
        return None
    with style():
        figure, axes = new_axes()
        at, some, rows = found.threshold, found.n > 0, found.rows
        axes.plot(
            at, found.accepted, color=WRONG, linewidth=1.4, linestyle=DASHED, label="accepted"
        )
        axes.plot(at[some], found.right[some], color=RIGHT, linewidth=1.4, label="of them right")
        axes.vlines(at[rows], found.low[rows], found.high[rows], color=RIGHT, linewidth=1.2)
        axes.legend(loc="lower left")
        percent_axis(axes, "xy")
        axes.set(
            xlim=(0, 1), ylim=(0, 1.04), xlabel="accepted where it is surer than", ylabel="photos"
        )
    return figure


def draw_top_k(result: RunResult) -> Figure | None:
    """Draw the share of images whose class is among the k most probable."""
    if len(result.top_k) < 2:
        return None
    from matplotlib.ticker import MaxNLocator

    k, share, low, high = np.array(result.top_k).T
    with style():
        figure, axes = new_axes()
        axes.vlines(k, low, high, color=RIGHT, linewidth=1.2, alpha=0.6)
        axes.plot(k, share, color=RIGHT, marker="o", markersize=4.5)
        for x, y, top in zip(k, share, high, strict=True):
            axes.annotate(
                f"{100 * y:.1f}", (x, top), xytext=(0, 4), textcoords="offset points",
                ha="center", va="bottom", color=INK,
            )  # fmt: skip
        axes.set_xticks(k, [f"{i:.0f}" for i in k])
        axes.set_xlim(0.6, k[-1] + 0.4)
        axes.margins(y=0.18)
        axes.yaxis.set_major_locator(MaxNLocator(6, steps=[1, 2, 5, 10]))
        percent_axis(axes, "y")
        axes.set(xlabel="first k guesses", ylabel="truth among them")
    return figure


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
    row_names(axes, tick_names([drawable[i] for i in order]))
    axes.set(xlim=(0, 1), xlabel="found (recall) with its 95% interval")
    _counts(axes, table)


def _counts(axes: Axes, table: ClassTable) -> None:
    """Write the numbers of scored and of training images right of each bar."""
    trained = not np.isnan(table.n_train).all()
    # The two headings are the widest: they alone reserve the space.
    _beside(axes, -1, "right / scored", 66, in_layout=True)
    if trained:
        _beside(axes, -1, "training photos", 118, in_layout=True)
    for row, i in enumerate(table.by_recall):
        _beside(axes, row, f"{table.correct[i]} / {table.n[i]}", 66)
        if not np.isnan(table.n_train[i]):
            _beside(axes, row, f"{table.n_train[i]:.0f}", 118)


def _beside(axes: Axes, row: float, text: str, points: float, *, in_layout: bool = False) -> None:
    """Write `text` so that it ends `points` right of the axes."""
    axes.annotate(
        text, (1, row), xycoords=axes.get_yaxis_transform(), xytext=(points, 0),
        textcoords="offset points", ha="right", va="center", fontsize=7.5, color=MUTED,
        annotation_clip=False,
    ).set_in_layout(in_layout)  # fmt: skip


def _profile(table: ClassTable) -> Figure:
    figure, axes = new_axes(7.2, 3.2)
    order = table.by_recall
    rank = np.arange(1, len(order) + 1)
    axes.fill_between(
        rank, table.low[order], table.high[order], step="mid", color=RIGHT, alpha=0.25, linewidth=0
    )
    axes.step(rank, table.recall[order], where="mid", color=RIGHT, linewidth=1.4)
    percent_axis(axes, "y")
    axes.set(
        xlim=(1, len(order)),
        ylim=(0, 1),
        xlabel=f"the {len(order):,} species, best first",
        ylabel="found (recall) with its 95% interval",
    )
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
        # They grow with the scored images and stay large enough to point at.
        areas = 14 + 90 * np.sqrt(table.n[shown] / table.n[shown].max())
        axes.scatter(
            n_train, recall, s=areas, c=colours, alpha=0.7, linewidths=0, zorder=3, clip_on=False
        ).set_gid("points")
        _log_scale(axes, n_train)
        percent_axis(axes, "y")
        axes.set(ylim=(0, 1), xlabel="training photos", ylabel="found (recall)")
    return figure


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


def draw_field_figures(found: Mapping[str, Any]) -> dict[str, Figure]:
    """Draw what `field.json` holds: by, leave_out and risk_coverage, each where it is there."""
    drawn = {key: draw_values(found[key]) for key in ("by", "leave_out") if key in found}
    drawn["risk_coverage"] = draw_risk_coverage(found.get("unknown", {}))
    return {name: figure for name, figure in drawn.items() if figure is not None}


def draw_values(found: Mapping[str, Any]) -> Figure | None:
    """Draw the accuracy at each value with its interval, the worst on top."""
    rows = found["rows"][:_VALUES]
    if len(rows) < 2:  # one point shows no more than the sentence
        return None
    names = [printable(str(row["value"])) or "(none)" for row in rows]
    labels = [
        f"{name}  n = {row['n']:,}" for name, row in zip(tick_names(names, 24), rows, strict=True)
    ]
    low, high = np.array([row["accuracy_ci95"] for row in rows], float).T
    y = np.arange(len(rows))
    with style(names):
        figure, axes = new_axes(height=0.9 + 0.24 * len(rows))
        axes.hlines(y, low, high, color=RIGHT, linewidth=1.4, alpha=0.6)
        axes.scatter([row["accuracy"] for row in rows], y, color=RIGHT, s=20, zorder=3)
        if "known" in found:
            axes.axvline(found["known"]["accuracy"], color=MUTED, linewidth=1, linestyle=DASHED)
        axes.set_yticks(y, labels)
        percent_axis(axes, "x")
        axes.set(ylim=(len(rows) - 0.5, -0.5), xlim=(0, 1), xlabel="right, with 95% interval")
    return figure


def draw_risk_coverage(found: Mapping[str, Any]) -> Figure | None:
    """Draw the share of wrong predictions against the share of images that are accepted."""
    points = found.get("risk_coverage", ())
    if len(points) < 2:
        return None
    kept, wrong = np.array([[p["kept"], p["wrong"]] for p in points], float).T
    with style():
        figure, axes = new_axes()
        axes.plot(kept, wrong, color=RIGHT, linewidth=1.4)
        at = 1 - found["send_back"]
        axes.axvline(at, color=MUTED, linewidth=1, linestyle=DASHED)
        axes.annotate(
            "kept at the stated rate", (at, axes.get_ylim()[1]), xytext=(-4, -2),
            textcoords="offset points", ha="right", va="top", color=INK,
        )  # fmt: skip
        percent_axis(axes, "xy")
        axes.set(xlim=(0, 1), ylim=(0, None), xlabel="photos kept", ylabel="of these wrong")
    return figure
