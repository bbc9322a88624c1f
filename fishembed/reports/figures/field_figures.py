"""Figures of the field's questions: accuracy by value, and what sending images back leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.text import printable
from fishembed.reports.figures.style import INK, MUTED, RIGHT, new_axes, percent_axis, style
from fishembed.reports.figures.style import tick_names as short_names

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_MOST = 30
FIELD_FIGURES = ("by", "leave_out", "risk_coverage")


def draw_field_figures(found: Mapping[str, Any]) -> dict[str, Figure]:
    """Draw what `field.json` holds: by, leave_out and risk_coverage, each where it is there."""
    drawn = {
        "by": draw_values(found["by"]) if "by" in found else None,
        "leave_out": draw_values(found["leave_out"]) if "leave_out" in found else None,
        "risk_coverage": draw_risk_coverage(found.get("unknown", {})),
    }
    return {name: figure for name, figure in drawn.items() if figure is not None}


def draw_values(found: Mapping[str, Any]) -> Figure | None:
    """Draw the accuracy at each value with its interval, the worst on top."""
    rows = found["rows"][:_MOST]
    if len(rows) < 2:  # one point says no more than the sentence
        return None
    names = [printable(str(row["value"])) or "(none)" for row in rows]
    labels = [
        f"{name}  n = {row['n']:,}" for name, row in zip(short_names(names, 24), rows, strict=True)
    ]
    low, high = np.array([row["accuracy_ci95"] for row in rows], float).T
    y = np.arange(len(rows))
    with style(names):
        figure, axes = new_axes(height=0.9 + 0.24 * len(rows))
        axes.hlines(y, low, high, color=RIGHT, linewidth=1.4, alpha=0.6)
        axes.scatter([row["accuracy"] for row in rows], y, color=RIGHT, s=20, zorder=3)
        if "known" in found:
            axes.axvline(
                found["known"]["accuracy"], color=MUTED, linewidth=1, linestyle=(0, (4, 3))
            )
        axes.set_yticks(y, labels)
        axes.set_ylim(len(rows) - 0.5, -0.5)
        axes.set_xlim(0, 1)
        percent_axis(axes, "x")
        axes.set_xlabel("right, with 95% interval")
    return figure


def draw_risk_coverage(found: Mapping[str, Any]) -> Figure | None:
    """Draw the share of wrong answers against the share of images that are kept."""
    points = found.get("risk_coverage", ())
    if len(points) < 2:
        return None
    kept, wrong = np.array([[p["kept"], p["wrong"]] for p in points], float).T
    with style():
        figure, axes = new_axes()
        axes.plot(kept, wrong, color=RIGHT, linewidth=1.4)
        at = 1 - found["send_back"]
        axes.axvline(at, color=MUTED, linewidth=1, linestyle=(0, (4, 3)))
        axes.annotate(
            "kept at the stated rate", (at, axes.get_ylim()[1]), xytext=(-4, -2),
            textcoords="offset points", ha="right", va="top", color=INK,
        )  # fmt: skip
        axes.set_xlim(0, 1)
        axes.set_ylim(bottom=0)
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.set_xlabel("photos kept")
        axes.set_ylabel("of these wrong")
    return figure
