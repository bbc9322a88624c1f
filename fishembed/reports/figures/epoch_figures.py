"""Loss and accuracy by epoch as figures."""

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
        _lines(axes, result.history, "loss")
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
        _lines(axes, result.history, "accuracy")
        split, scored = result.scored_split, result.metrics.get("accuracy")
        if scored is not None and split != "train":
            axes.axhline(scored, color=MUTED, linewidth=1, linestyle=(0, (4, 3)), label=split)
        axes.legend(loc="lower right")
        percent_axis(axes, "y")
        axes.set_ylabel("accuracy")
    return figure


def _lines(axes: Axes, history: dict[str, Floats], what: str) -> None:
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
