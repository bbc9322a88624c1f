"""How much a head learns from few images: k of each class, drawn several times."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.csv_files import write_csv
from fishembed.errors import InputError
from fishembed.reports import run as layout
from fishembed.reports.fitting import Lesson, fit_head
from fishembed.reports.rows import Indices

LEARNING_CURVE = "learning_curve"
COLUMNS = ("shots", "seed", "n_train", "accuracy", "macro_recall", "classes_at_zero")

Row = dict[str, Any]


@dataclass(frozen=True)
class Protocol:
    """Which training sets are drawn.

    Attributes
    ----------
    shots
        Images of each class, or all where a class has fewer.
    seeds
        How often they are drawn; the seeds are 0, 1, 2, …
    """

    shots: tuple[int, ...]
    seeds: int = 3

    def __post_init__(self) -> None:
        """Refuse what cannot be drawn.

        Raises
        ------
        InputError
            When a number of shots or of seeds is below 1.
        """
        if not self.shots or min(self.shots) < 1 or self.seeds < 1:
            raise InputError(
                f"shots={list(self.shots)}, seeds={self.seeds}: give numbers from 1 on"
            )


def few_shots(y: npt.NDArray[np.int32], shots: int, seed: int) -> Indices:
    """Draw `shots` rows of each class, all where a class has fewer; (n,) row numbers, ascending."""
    rng = np.random.default_rng([seed, shots])
    drawn = [rng.permutation(np.flatnonzero(y == label))[:shots] for label in np.unique(y)]
    return np.sort(np.concatenate(drawn))


def learning_curve(
    build: Callable[[], Any],
    lesson: Lesson,
    scored: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]],
    protocol: Protocol,
) -> Iterator[Row]:
    """Fit a head to every drawn training set and score it; give one row for each.

    Parameters
    ----------
    build
        Gives a head that is not fitted.
    lesson
        All training rows.
    scored
        float32 (n, dim) vectors and (n,) labels that the head is scored on.
    protocol
        What is drawn.
    """
    X, y = scored
    for shots in protocol.shots:
        for seed in range(protocol.seeds):
            rows = few_shots(lesson.y, shots, seed)
            head = build()
            fit_head(head, lesson.only(rows))
            hits = head.predict(X) == y
            recalls = np.array([hits[y == label].mean() for label in np.unique(y)])
            yield {
                "shots": shots,
                "seed": seed,
                "n_train": len(rows),
                "accuracy": float(hits.mean()),
                "macro_recall": float(recalls.mean()),
                "classes_at_zero": int((recalls == 0).sum()),
            }


def write_learning_curve(folder: Path, rows: Sequence[Row], metrics: Mapping[str, Any]) -> None:
    """Write the table as `shots.csv` and the figure as PNG and SVG.

    Parameters
    ----------
    folder
        The run's.
    rows
        What `learning_curve` gave.
    metrics
        Of the run, which learnt from all rows.
    """
    from fishembed.reports.figures.shots import draw_learning_curve
    from fishembed.reports.figures.style import render

    write_csv(folder / layout.SHOTS_CSV, COLUMNS, [[row[c] for c in COLUMNS] for row in rows])
    figure = draw_learning_curve(rows, metrics)
    for suffix in ("png", "svg"):
        (folder / f"{LEARNING_CURVE}.{suffix}").write_bytes(render(figure, suffix))


def curve_table(rows: Sequence[Mapping[str, str]]) -> tuple[list[str], list[list[str]]]:
    """Give means over the seeds, and their standard deviations, as columns and rows of text.

    Parameters
    ----------
    rows
        What `shots.csv` holds.
    """
    columns = ["images of each class", "training images", "accuracy %", "macro recall %"]
    columns.append("classes at zero")
    lines = []
    for shots in dict.fromkeys(row["shots"] for row in rows):
        mine = [row for row in rows if row["shots"] == shots]
        spread = [
            f"{100 * np.mean(values):.1f} ± {100 * np.std(values):.1f}"
            for values in (
                [float(row[name]) for row in mine] for name in ("accuracy", "macro_recall")
            )
        ]
        at_zero = float(np.mean([int(row["classes_at_zero"]) for row in mine]))
        lines.append([shots, f"{int(mine[0]['n_train']):,}", *spread, f"{at_zero:.1f}"])
    return columns, lines
