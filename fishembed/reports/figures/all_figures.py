"""All figures of a run, by the names of their files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.files import write_bytes
from fishembed.reports.figures.figure_style import FIGURE_FORMATS, render
from fishembed.reports.figures.learning_figures import (
    draw_epochs,
    draw_learning_curve,
    draw_selection,
)
from fishembed.reports.figures.mixup_figures import draw_confusion
from fishembed.reports.figures.score_figures import (
    FIELD_FIGURES,
    draw_acceptance,
    draw_per_class,
    draw_recall_by_training,
    draw_reliability,
    draw_top_k,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_folder import Run
    from fishembed.experiments.runs.run_result import RunResult

LEARNING_CURVE = "learning_curve"
INLINE = (
    "loss",
    "accuracy",
    "selection",
    "recall_by_training",
    "reliability",
    "accept",
    "top_k",
    LEARNING_CURVE,
    *FIELD_FIGURES,
)
"""Figures that stand on the page as they are; scripts and markup draw the others there."""


def draw_figures(result: RunResult) -> dict[str, Figure]:
    """Draw every figure that the result has data for, by the stem of its file."""
    drawn = {
        "loss": draw_epochs(result, "loss"),
        "accuracy": draw_epochs(result, "accuracy"),
        "selection": draw_selection(result.selection),
        "per_class": draw_per_class(result.classes),
        "confusion": draw_confusion(result),
        "recall_by_training": draw_recall_by_training(result.classes),
        "reliability": draw_reliability(result),
        "accept": draw_acceptance(result),
        "top_k": draw_top_k(result),
        LEARNING_CURVE: draw_learning_curve(result),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def write_learning_curve(run: Run) -> Path | None:
    """Draw a run's learning curve into its folder; return the PNG, or None where there is none."""
    figure = draw_learning_curve(run.result)
    if figure is None:
        return None
    write_figures(run.folder, {LEARNING_CURVE: figure}, ("png", "svg"), page=False)
    return run.folder / f"{LEARNING_CURVE}.png"


def write_figures(
    folder: Path, figures: dict[str, Figure], formats: Sequence[str], *, page: bool
) -> dict[str, bytes]:
    """Write figures, by name, into a folder as "png", "svg" and "pdf", whichever `formats` names.

    Where a `page` will hold them, the SVGs of those named in `INLINE` are returned by name.
    """
    inline = {}
    for name, figure in figures.items():
        on_page = page and name in INLINE
        for suffix in FIGURE_FORMATS:
            shown = on_page and suffix == "svg"
            if suffix in formats or shown:
                data = render(figure, suffix)
            if suffix in formats:
                write_bytes(folder / f"{name}.{suffix}", data)
            if shown:
                inline[name] = data
    return inline
