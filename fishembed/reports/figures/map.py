"""The map of the vectors as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.reports.figures.style import LINE, MUTED, WRONG, new_axes, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from fishembed.reports.outcome import Outcome
    from fishembed.reports.projection import VectorMap


def draw_map(outcome: Outcome, layout: VectorMap) -> Figure:
    """Draw the scored images by their vectors, mistakes marked."""
    wrong = outcome.predictions.wrong[layout.rows]
    with style():
        figure, axes = new_axes(6.4, 5.2)
        for at, colour, size, label in (
            (~wrong, MUTED, 7, "right"),
            (wrong, WRONG, 11, "wrong"),
        ):
            points = layout.xy[at]
            axes.scatter(
                points[:, 0], points[:, 1], s=size, color=colour, alpha=0.55, linewidths=0,
                label=f"{label} ({len(points):,})",
            )  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(LINE)
        axes.set_xlabel("first principal component")
        axes.set_ylabel("second principal component")
        axes.legend(loc="best")
    return figure
