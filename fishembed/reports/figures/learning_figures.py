"""Figures of training: loss by epoch, scores by training images, candidates of the selection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.text import counted
from fishembed.experiments.few_shot import curve_points
from fishembed.reports.figures.figure_style import (
    DASHED,
    INK,
    MUTED,
    RIGHT,
    WRONG,
    new_axes,
    percent_axis,
    style,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from fishembed.experiments.few_shot import CurvePoint
    from fishembed.experiments.runs.run_result import RunResult


def draw_epochs(result: RunResult, what: str) -> Figure | None:
    """Draw "loss" or "accuracy" by epoch; None for heads that do not train by epochs.

    A dashed line is the accuracy that the scored split reached in the end.
    """
    history = result.history
    if f"train_{what}" not in history:
        return None
    from matplotlib.ticker import MaxNLocator

    length = len(history[f"train_{what}"])
    epochs = history.get("epoch", np.arange(1.0, length + 1))
    marker = "o" if length <= 30 else ""
    split, scored = result.scored_split, result.metrics.get("accuracy")
    with style():
        figure, axes = new_axes()
        for part, label, colour in (("train", "training", RIGHT), ("val", "validation", WRONG)):
            if f"{part}_{what}" in history:
                values = history[f"{part}_{what}"]
                axes.plot(epochs, values, color=colour, marker=marker, markersize=3.5, label=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        if what == "loss":
            axes.set_ylim(bottom=0)
            axes.legend(loc="upper right")
            axes.set_ylabel("loss (nats)")
            return figure
        if scored is not None and split != "train":
            axes.axhline(scored, color=MUTED, linewidth=1, linestyle=DASHED, label=split)
        axes.legend(loc="lower right")
        percent_axis(axes, "y")
        axes.set_ylabel("accuracy")
    return figure


def draw_learning_curve(result: RunResult) -> Figure | None:
    """Draw macro recall and accuracy against images of each class; None where there is no curve.

    Means over the draws of the training set, with 95% intervals of the macro recall; zero-shot
    stands at no images, and a dashed line is the head that learnt from all.
    """
    if not result.few_shot:
        return None
    curve = curve_points(result.few_shot, str(result.info.get("head", "")))
    shots = sorted({point.shots for point in curve if point.shots})
    place = {k: float(np.log2(k)) for k in shots} | {0: float(np.log2(shots[0])) - 1}
    heads = list(dict.fromkeys(point.head for point in curve if point.shots))
    with style():
        figure, axes = new_axes()
        for head, colour in zip(heads, (RIGHT, WRONG), strict=False):
            _draw_curve(axes, [p for p in curve if p.head == head and p.shots], place, colour)
        without = [point for point in curve if not point.shots]
        for point in without:
            at, scores = place[0], (point.macro_recall.mean, point.accuracy.mean)
            axes.plot(at, scores[0], "D", color=INK, markersize=4, label=point.head)
            axes.plot(at, scores[1], "D", color=INK, markersize=4, fillstyle="none")
        axes.axhline(result.metrics["macro_recall"], color=RIGHT, linewidth=1, linestyle=DASHED)
        axes.plot([], [], color=MUTED, linestyle=":", label="share right")
        axes.plot([], [], color=RIGHT, linewidth=1, linestyle=DASHED, label="all photos")
        ticks = ([0] if without else []) + shots
        axes.set_xticks([place[k] for k in ticks], [f"{k}" for k in ticks])
        percent_axis(axes, "y")
        axes.set(
            ylim=(0, 1), xlabel="training photos of each species", ylabel="average over species"
        )
        axes.legend(loc="lower right")
    return figure


def _draw_curve(axes: Axes, points: list[CurvePoint], place: dict[int, float], colour: str) -> None:
    at = [place[point.shots] for point in points]
    recalls = [point.macro_recall for point in points]
    mean, low, high = np.array([(r.mean, r.low, r.high) for r in recalls]).T
    axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0)
    axes.plot(at, mean, color=colour, marker="o", markersize=3.5, label=points[0].head)
    axes.plot(at, [point.accuracy.mean for point in points], color=colour, linestyle=":")


_MARKERS = (
    (RIGHT, "o"),
    ("#b8860b", "s"),
    ("#009e73", "^"),
    ("#a6487d", "D"),
    (WRONG, "v"),
    (MUTED, "P"),
    ("#56b4e9", "X"),
    (INK, "*"),
)
"""Colours after Okabe & Ito, each with a shape of its own for readers who see no colour."""

_FAR = 0.3
"""Candidates worse than the chosen one by more than this are left out: they squeeze the rest."""


def draw_selection(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw the candidates of `RunResult.selection` by accuracy and macro recall; None for one."""
    if len(rows) < 2:
        return None
    kind_of = np.array([str(row["candidate"]) for row in rows])
    kinds = list(dict.fromkeys(kind_of.tolist()))
    points = np.array([[row["accuracy_mean"], row["macro_recall_mean"]] for row in rows], float)
    chosen = points[next((i for i, row in enumerate(rows) if row["chosen"]), 0)]
    near = (points >= chosen - _FAR).all(axis=1)
    with style(kinds):
        figure, axes = new_axes(width=5.0, height=3.6 + 0.2 * len(kinds))
        for kind, (colour, mark) in zip(kinds, _MARKERS * len(kinds), strict=False):
            own = points[near & (kind_of == kind)]
            if len(own):
                axes.scatter(
                    own[:, 0], own[:, 1], s=16, color=colour, marker=mark, alpha=0.75, linewidths=0,
                    label=kind, clip_on=False,
                )  # fmt: skip
        axes.scatter(
            chosen[:1], chosen[1:], s=110, facecolors="none", edgecolors=INK, linewidths=1.2,
            label="chosen",
        )  # fmt: skip
        # One below the other: a blend names all its parts, and two such fill the width.
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=1)
        percent_axis(axes, "xy")
        axes.set(
            xlabel="share right, cross-validated", ylabel="average over species, cross-validated"
        )
        if not near.all():
            far = counted(int((~near).sum()), "candidate")
            axes.set_title(f"{far} far below not drawn", fontsize=8.5, color=MUTED, loc="right")
    return figure
