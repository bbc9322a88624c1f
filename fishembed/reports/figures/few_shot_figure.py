"""The learning curve of a head, from few images of each class, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fishembed.reports.figures.style import MUTED, RIGHT, WRONG, new_axes, percent_axis, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.experiments.run_result import RunResult


def draw_learning_curve(result: RunResult) -> Figure | None:
    """Draw accuracy and macro recall against images of each class; None where there is no curve.

    A point for each drawn training set, a line through their means, and a dashed line for the
    head that learnt from all images.
    """
    rows, metrics = result.few_shot, result.metrics
    if not rows:
        return None
    from matplotlib.ticker import NullLocator

    shots = sorted({row["shots"] for row in rows})
    with style():
        figure, axes = new_axes()
        for name, label, colour, width in (
            ("accuracy", "accuracy", RIGHT, 3.5),  # wider: seen where the two are the same
            ("macro_recall", "macro recall", WRONG, 1.5),
        ):
            points = [[row[name] for row in rows if row["shots"] == k] for k in shots]
            means = [np.mean(p) for p in points]
            axes.plot(shots, means, color=colour, linewidth=width, label=label)
            axes.scatter(
                np.repeat(shots, [len(p) for p in points]), np.concatenate(points),
                color=colour, s=12, alpha=0.6, linewidths=0, zorder=3, clip_on=False,
            )  # fmt: skip
            axes.axhline(metrics[name], color=colour, linewidth=1, linestyle=(0, (4, 3)))
        axes.plot([], [], color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label="all images")
        axes.set_xscale("log", base=2)
        axes.set_xticks(shots, [f"{k:.0f}" for k in shots])
        axes.xaxis.set_minor_locator(NullLocator())
        axes.set_ylim(0, 1)
        percent_axis(axes, "y")
        axes.set_xlabel("training images of each class")
        axes.legend(loc="lower right")
    return figure
