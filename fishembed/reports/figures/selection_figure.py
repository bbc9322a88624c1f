"""The candidates that a head was chosen from, as a figure, for heads without epochs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.text import counted
from fishembed.reports.figures.style import INK, MUTED, RIGHT, WRONG, new_axes, percent_axis, style

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_LOOKS = (
    (RIGHT, "o"),
    ("#b8860b", "s"),
    ("#009e73", "^"),
    ("#a6487d", "D"),
    (WRONG, "v"),
    (MUTED, "P"),
    ("#56b4e9", "X"),
    (INK, "*"),
)
"""Colours after Okabe & Ito, each with a mark of its own, for eyes that see no colour."""

_FAR = 0.3
"""A candidate that is worse than the one chosen by more than this would crowd out the others."""


def draw_selection(rows: Sequence[Mapping[str, Any]]) -> Figure | None:
    """Draw every candidate by its cross-validated accuracy and macro recall.

    Parameters
    ----------
    rows
        `RunResult.selection`; None is returned where it is empty.
    """
    if len(rows) < 2:
        return None
    kind_of = np.array([str(row["candidate"]) for row in rows])
    kinds = list(dict.fromkeys(kind_of.tolist()))
    points = np.array([[row["accuracy_mean"], row["macro_recall_mean"]] for row in rows], float)
    chosen = points[next((i for i, row in enumerate(rows) if row["chosen"]), 0)]
    near = (points >= chosen - _FAR).all(axis=1)
    with style(kinds):
        figure, axes = new_axes(width=5.0, height=3.6 + 0.2 * len(kinds))
        for kind, (colour, mark) in zip(kinds, _LOOKS * len(kinds), strict=False):
            own = points[near & (kind_of == kind)]
            if not len(own):
                continue
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
        percent_axis(axes, "x")
        percent_axis(axes, "y")
        axes.set_xlabel("share right, cross-validated")
        axes.set_ylabel("average over species, cross-validated")
        if not near.all():
            far = counted(int((~near).sum()), "candidate")
            axes.set_title(f"{far} far below not drawn", fontsize=8.5, color=MUTED, loc="right")
    return figure
