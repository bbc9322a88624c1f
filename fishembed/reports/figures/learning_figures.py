"""How a head learnt, as figures: loss and accuracy by epoch, and scores by training images."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fishembed.reports.figures.style import MUTED, RIGHT, WRONG, new_axes, percent_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.run_result import Floats, RunResult


def draw_loss(result: RunResult) -> Figure | None:
    """Draw the loss by epoch; None for heads that do not train by epochs."""
    if "train_loss" not in result.history:
        return None
    with style():
        figure, axes = new_axes()
        _draw_epochs(axes, result.history, "loss")
        axes.set_ylim(bottom=0)
        axes.legend(loc="upper right")
        axes.set_ylabel("loss (nats)")
    return figure


def draw_accuracy(result: RunResult) -> Figure | None:
    """Draw the accuracy by epoch, and what the scored split reached in the end.

    None for heads that do not train by epochs.
    """
    if "train_accuracy" not in result.history:
        return None
    with style():
        figure, axes = new_axes()
        _draw_epochs(axes, result.history, "accuracy")
        split, scored = result.scored_split, result.metrics.get("accuracy")
        if scored is not None and split != "train":
            axes.axhline(scored, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label=split)
        axes.legend(loc="lower right")
        percent_axis(axes, "y")
        axes.set_ylabel("accuracy")
    return figure


def _draw_epochs(axes: Axes, history: dict[str, Floats], what: str) -> None:
    from matplotlib.ticker import MaxNLocator

    length = len(history[f"train_{what}"])
    epochs = history.get("epoch", np.arange(1.0, length + 1))
    marker = "o" if length <= 30 else ""
    for part, label, colour in (("train", "training", RIGHT), ("val", "validation", WRONG)):
        values = history.get(f"{part}_{what}")
        if values is not None:
            axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=label)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")


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
