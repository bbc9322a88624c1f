"""Whether training images explain recall, as a figure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed.reports.figures.style import RIGHT, WRONG, new_axes, percent_axis, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.run_result import ClassTable


def draw_recall_by_training(table: ClassTable) -> Figure | None:
    """Draw each class's recall against its training images; None where none were trained on."""
    shown = table.trained_and_scored
    if not len(shown):
        return None
    with style():
        figure, axes = new_axes(height=3.1)
        n_train, recall = table.n_train[shown], table.recall[shown]
        colours = np.where(table.correct[shown] == 0, WRONG, RIGHT)
        points = axes.scatter(
            n_train, recall, s=_areas(table.n[shown]), c=colours, alpha=0.7, linewidths=0, zorder=3,
            clip_on=False,
        )  # fmt: skip
        points.set_gid("points")
        _log_scale(axes, n_train)
        axes.set_ylim(0, 1)
        percent_axis(axes, "y")
        axes.set_xlabel("training images")
        axes.set_ylabel("recall")
    return figure


def _areas(n: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Return areas that grow with the scored images and stay large enough to point at."""
    return np.asarray(14 + 90 * np.sqrt(n / n.max()))


def _log_scale(axes: Axes, n_train: npt.NDArray[np.float64]) -> None:
    """Set a logarithmic scale that has a place for classes without training images."""
    from matplotlib.ticker import NullLocator

    low, high = float(n_train.min()), float(n_train.max())
    axes.set_xscale("symlog", linthresh=1)
    axes.set_xlim(-0.3 if low < 1 else low / 1.3, max(high * 1.3, 2))
    ticks = _round_numbers(low, high)
    axes.set_xticks(ticks, [f"{tick:,}" for tick in ticks])
    axes.xaxis.set_minor_locator(NullLocator())


def _round_numbers(low: float, high: float) -> list[int]:
    """Return 1, 2, 5, 10, 20 … within the range, only the tens where those are too many."""
    steps = [step * 10**power for power in range(8) for step in (1, 2, 5)]
    ticks = [step for step in steps if low / 1.3 <= step <= max(high * 1.3, 2)]
    if len(ticks) > 8:
        ticks = [step for step in ticks if str(step).startswith("1")]
    return ([0] if low < 1 else []) + ticks
