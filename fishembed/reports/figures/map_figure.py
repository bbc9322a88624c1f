"""The map of the embeddings as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from fishembed.reports.figures.fonts import figure_names
from fishembed.reports.figures.style import INK, LINE, MUTED, WRONG, new_axes, style, tick_names

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_result import RunResult
    from fishembed.reports.embedding_map import EmbeddingMap


def draw_map(result: RunResult, embedding_map: EmbeddingMap) -> Figure:
    """Draw the scored images by their embeddings, mistakes marked, the largest classes named."""
    wrong = result.images.wrong[embedding_map.rows]
    with style(result.classes.names):
        figure, axes = new_axes(6.4, 5.2)
        for at, colour, size, label in (
            (~wrong, MUTED, 7, "right"),
            (wrong, WRONG, 11, "wrong"),
        ):
            points = embedding_map.xy[at]
            axes.scatter(
                points[:, 0], points[:, 1], s=size, color=colour, alpha=0.55, linewidths=0,
                label=f"{label} ({len(points):,})",
            )  # fmt: skip
        axes.set_xticks([])
        axes.set_yticks([])
        for spine in axes.spines.values():
            spine.set_visible(True)
            spine.set_color(LINE)
        axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
        _name_classes(axes, result, embedding_map)
    return figure


def _name_classes(axes: Axes, result: RunResult, embedding_map: EmbeddingMap) -> None:
    """Write the names of the largest classes where they stand, as far as they do not overlap."""
    names = tick_names(figure_names(result.classes.names), 28)
    span = np.ptp(embedding_map.xy, axis=0)
    # The figure is 6.4 by 5.2 inches, a letter about 0.06 wide and 0.13 high with its margins.
    letter, line = span[0] * 0.06 / 6.2, span[1] * 0.15 / 4.9
    taken: list[tuple[float, float, float]] = []
    for label, (x, y) in embedding_map.landmarks:
        half = letter * len(names[label]) / 2
        if any(abs(x - a) < half + b and abs(y - c) < line for a, b, c in taken):
            continue
        taken.append((x, half, y))
        axes.text(
            x, y, names[label], ha="center", va="center", fontsize=7.5, color=INK,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8},
        ).set_in_layout(False)  # fmt: skip
