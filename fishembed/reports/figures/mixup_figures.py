"""Figures of confused classes: the confusion matrix, and the map of the features."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Ints
from fishembed.evaluation.confusion_counts import count_block, row_shares
from fishembed.reports.figures.figure_style import (
    INK,
    LINE,
    MUTED,
    RIGHT,
    WRONG,
    figure_names,
    ink_on,
    new_axes,
    style,
    tick_names,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.runs.run_result import RunResult
    from fishembed.reports.embedding_map import EmbeddingMap

_COUNTED_UP_TO = 40
_COUNTS = 300
_NAMED_UP_TO = 200
_SHAPES_UP_TO = 10_000


def draw_confusion(result: RunResult) -> Figure | None:
    """Draw the confusion matrix: row shares as colour, counts as text where they can be read.

    What is right is blue, what is wrong is vermillion; classes that are often confused stand
    together. Up to 200 classes are named; up to 40 have counts, in the fullest cells.
    """
    order = result.mixup_order
    if not len(order):
        return None
    drawable = figure_names(result.classes.names)
    names = tick_names([drawable[i] for i in order], 26)
    counts = count_block(result.confusion, order)
    with style(result.classes.names):
        figure, axes = new_axes(*_size(len(order)))
        _paint(axes, counts)
        _frame(axes, names)
        if len(order) <= _COUNTED_UP_TO:
            _write_counts(axes, counts)
    return figure


def shade(shares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Colour row shares: blue on the diagonal, vermillion beside it, white where nothing is.

    Of float64 (n, n) shares RGB between 0 and 1, float64 (n, n, 3), is made. The square root of the
    share lets single mistakes be seen.
    """
    from matplotlib.colors import to_rgb

    depth = np.sqrt(shares)[..., None]
    right = np.eye(len(shares), dtype=bool)[..., None]
    colour = np.where(right, to_rgb(RIGHT), to_rgb(WRONG))
    return np.asarray(1 + depth * (colour - 1))


def _paint(axes: Axes, counts: Ints) -> None:
    """Draw the cells: as shapes, which stay sharp, or as one image where they are too many."""
    from matplotlib.collections import PolyCollection

    colours = shade(row_shares(counts))
    row, column = np.nonzero(counts)
    if len(row) > _SHAPES_UP_TO:
        axes.imshow(colours, aspect="equal", interpolation="nearest")
        return
    corners = np.array([(-0.5, -0.5), (0.5, -0.5), (0.5, 0.5), (-0.5, 0.5)])
    cells = np.stack([column, row], axis=1)[:, None] + corners
    axes.add_collection(PolyCollection(list(cells), facecolors=colours[row, column], linewidths=0))
    axes.set_aspect("equal")
    axes.set(xlim=(-0.5, len(counts) - 0.5), ylim=(len(counts) - 0.5, -0.5))


def _size(n: int) -> tuple[float, float]:
    side = min(max(4.4, 1.9 + 0.17 * n), 8.2) if n <= _COUNTED_UP_TO else 1.9 + 0.085 * n
    if n > _NAMED_UP_TO:
        side = 8.2
    return side, side


def _frame(axes: Axes, names: list[str]) -> None:
    n = len(names)
    axes.grid(visible=False)
    axes.set(xlabel="identified as", ylabel="is")
    for spine in axes.spines.values():
        spine.set_visible(True)
    if n > _NAMED_UP_TO:
        axes.set_xticks([])
        axes.set_yticks([])
        return
    size = 7.5 if n <= _COUNTED_UP_TO else 4.6
    axes.set_xticks(np.arange(n), names, rotation=90, fontsize=size)
    axes.set_yticks(np.arange(n), names, fontsize=size)
    edges = np.arange(1, n) - 0.5
    axes.hlines(edges, -0.5, n - 0.5, color=LINE, linewidth=0.3)
    axes.vlines(edges, -0.5, n - 0.5, color=LINE, linewidth=0.3)


def _write_counts(axes: Axes, counts: Ints) -> None:
    colours = shade(row_shares(counts))
    size = 8.0 if len(counts) <= 12 else 5.6 if len(counts) <= 32 else 4.4
    cells = np.argwhere(counts)
    cells = cells[np.argsort(-counts[tuple(cells.T)], kind="stable")[:_COUNTS]]
    for row, column in cells:
        colour = ink_on(colours[row, column])
        text = axes.text(
            column, row, str(counts[row, column]), color=colour, fontsize=size,
            ha="center", va="center",
        )  # fmt: skip
        # Inside the axes it moves nothing, but measuring hundreds needs half of the whole time.
        text.set_in_layout(False)


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
    """Write the names of the largest classes at their points, leaving out those that overlap."""
    names = tick_names(figure_names(result.classes.names), 28)
    span = np.ptp(embedding_map.xy, axis=0)
    # The figure is 6.4 by 5.2 inches, a letter about 0.06 wide and 0.13 high with its margins.
    letter, line = span[0] * 0.06 / 6.2, span[1] * 0.15 / 4.9
    occupied: list[tuple[float, float, float]] = []
    for label, (x, y) in embedding_map.landmarks:
        half = letter * len(names[label]) / 2
        if any(abs(x - a) < half + b and abs(y - c) < line for a, b, c in occupied):
            continue
        occupied.append((x, half, y))
        axes.text(
            x, y, names[label], ha="center", va="center", fontsize=7.5, color=INK,
            bbox={"facecolor": "white", "alpha": 0.7, "edgecolor": "none", "pad": 0.8},
        ).set_in_layout(False)  # fmt: skip
