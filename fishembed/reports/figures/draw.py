"""All figures of a run, by the names of their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.files import write_bytes
from fishembed.reports.figures.calibration import draw_reliability, draw_top_k
from fishembed.reports.figures.classes import draw_per_class
from fishembed.reports.figures.confusion import draw_confusion
from fishembed.reports.figures.selection import draw_selection
from fishembed.reports.figures.style import FIGURE_FORMATS, render
from fishembed.reports.figures.training import draw_accuracy, draw_loss
from fishembed.reports.figures.why import draw_recall_by_training

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.reports.outcome import Outcome
    from fishembed.reports.run import Run

INLINE = ("loss", "accuracy", "selection", "recall_by_training", "reliability", "top_k")
"""Figures that stand on the page as they are; scripts and markup draw the others there."""


def draw_figures(run: Run, outcome: Outcome) -> dict[str, Figure]:
    """Draw every figure the run's tables have data for.

    Returns
    -------
    dict of str to matplotlib.figure.Figure
        Keyed by the stem of the figure's file: `loss`, `accuracy`, `selection`, `per_class`,
        `confusion`, `recall_by_training`, `reliability`, `top_k`.
    """
    split = run.metrics.get("scored_split", "")
    scored = None if split == "train" else run.metrics.get("accuracy")
    drawn = {
        "loss": draw_loss(outcome),
        "accuracy": draw_accuracy(outcome, scored, split),
        "selection": draw_selection(run.selection),
        "per_class": draw_per_class(outcome),
        "confusion": draw_confusion(outcome),
        "recall_by_training": draw_recall_by_training(outcome),
        "reliability": draw_reliability(outcome),
        "top_k": draw_top_k(outcome),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write_figures(
    folder: Path, figures: dict[str, Figure], formats: Sequence[str], *, page: bool
) -> dict[str, bytes]:
    """Write figures as files.

    Parameters
    ----------
    folder
        Where; each figure's name is its file's stem.
    figures
        As `draw_figures` gives them.
    formats
        Any of "png", "svg" and "pdf".
    page
        Whether a page will hold the figures named in `INLINE`.

    Returns
    -------
    dict of str to bytes
        The SVG of those, by name.
    """
    inline = {}
    for name, figure in figures.items():
        on_page = page and name in INLINE
        for suffix in FIGURE_FORMATS:
            if suffix not in formats and not (on_page and suffix == "svg"):
                continue
            data = render(figure, suffix)
            if suffix in formats:
                write_bytes(folder / f"{name}.{suffix}", data)
            if on_page and suffix == "svg":
                inline[name] = data
    return inline
