"""Reliability and top-k accuracy as figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fishembed.reports.figures.style import INK, MUTED, RIGHT, WRONG, new_axes, percent_axis, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_result import RunResult


def draw_reliability(result: RunResult) -> Figure | None:
    """Draw accuracy against confidence; None where the run names no confidence."""
    bins = result.reliability
    if bins is None:
        return None
    with style():
        figure, axes = new_axes()
        axes.plot([0, 1], [0, 1], color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.vlines(bins.confidence, bins.low, bins.high, color=RIGHT, linewidth=1.2, alpha=0.6)
        axes.plot(bins.confidence, bins.accuracy, color=RIGHT, linewidth=1.2)
        points = axes.scatter(
            bins.confidence, bins.accuracy, s=_areas(bins.n), color=RIGHT, zorder=3, clip_on=False
        )
        points.set_gid("points")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1)
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.set_xlabel("how sure it was")
        axes.set_ylabel("right")
    return figure


def draw_acceptance(result: RunResult) -> Figure | None:
    """Draw what is accepted, and right, by the confidence from which answers are accepted.

    None where the run names no confidence.
    """
    found = result.acceptance
    if found is None:
        return None
    with style():
        figure, axes = new_axes()
        at = found.threshold
        some = found.n > 0
        rows = found.rows
        axes.plot(
            at, found.accepted, color=WRONG, linewidth=1.4, linestyle=(0, (4, 3)), label="accepted"
        )
        axes.plot(at[some], found.right[some], color=RIGHT, linewidth=1.4, label="of them right")
        axes.vlines(at[rows], found.low[rows], found.high[rows], color=RIGHT, linewidth=1.2)
        axes.legend(loc="lower left")
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.04)
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.set_xlabel("accepted where it is surer than")
        axes.set_ylabel("photos")
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
        axes.set_xlabel("first k guesses")
        axes.set_ylabel("truth among them")
    return figure


def _areas(n: np.ndarray) -> np.ndarray:
    return np.asarray(10 + 70 * n / n.max())
