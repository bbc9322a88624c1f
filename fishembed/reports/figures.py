"""All figures of a run, by the names of their files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.reports.figures_classes import draw_per_class
from fishembed.reports.figures_confusion import draw_confusion
from fishembed.reports.figures_training import draw_accuracy, draw_loss

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.reports.outcome import Outcome
    from fishembed.reports.run import Run


def draw_figures(run: Run, outcome: Outcome) -> dict[str, Figure]:
    """Draw every figure the run has data for.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        Keyed by the stem of the figure's file: `loss`, `accuracy`, `per_class`, `confusion`.
    """
    split = run.metrics.get("scored_split", "")
    scored = None if split == "train" else run.metrics.get("accuracy")
    drawn = {
        "loss": draw_loss(outcome),
        "accuracy": draw_accuracy(outcome, scored, split),
        "per_class": draw_per_class(outcome),
        "confusion": draw_confusion(outcome),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}
