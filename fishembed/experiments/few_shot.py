"""Learning curves: fit heads to few images of each class, drawn several times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.progress import tracked
from fishembed.errors import InputError
from fishembed.experiments.training import TrainingData, fit_head

if TYPE_CHECKING:
    from fishembed.classifiers import ZeroShotClassifier

Row = dict[str, Any]
ZERO_SHOT = "zeroshot"
BASELINE = "logistic"
"""What `auto` is compared with on the same draws."""


@dataclass(frozen=True)
class FewShotSettings:
    """Settings of the small training sets that are drawn.

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
    """Draw `shots` rows of each class, all where it has fewer; return their numbers, ascending."""
    rng = np.random.default_rng([seed, shots])
    drawn = [rng.permutation(np.flatnonzero(y == label))[:shots] for label in np.unique(y)]
    return np.sort(np.concatenate(drawn))


def learning_curve(
    builds: Mapping[str, Callable[[], Any]],
    data: TrainingData,
    scored: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]],
    settings: FewShotSettings,
    text: ZeroShotClassifier | None = None,
) -> list[Row]:
    """Fit heads to every drawn training set and score them; return one row for each.

    Parameters
    ----------
    builds
        Name to a function that returns a head that is not fitted. All learn from the same draws.
    data, scored, settings
        All training rows; float32 (n, dim) features and (n,) labels that the heads are scored on;
        what is drawn.
    text
        A zero-shot classifier, the point of no images; None for none.
    """
    draws = list(product(settings.shots, range(settings.seeds), builds.items()))

    def rows() -> Iterator[Row]:
        if text is not None:
            row = {"shots": 0, "seed": 0, "head": ZERO_SHOT, "n_train": 0}
            yield row | _scores(text.fit(), *scored)
        for shots, seed, (name, build) in draws:
            drawn = few_shots(data.y, shots, seed)
            head = build()
            fit_head(head, data.subset(drawn))
            row = {"shots": shots, "seed": seed, "head": name, "n_train": len(drawn)}
            yield row | _scores(head, *scored)

    return list(tracked(rows(), (text is not None) + len(draws), "learning curve"))


def _scores(head: Any, X: npt.NDArray[np.float32], y: npt.NDArray[np.int32]) -> Row:
    """Return the scores of one fitted head."""
    probabilities = head.predict_proba(X)
    hits = head.classes_[probabilities.argmax(axis=1)] == y
    recalls = np.array([hits[y == label].mean() for label in np.unique(y)])
    known = np.isin(y, head.classes_)  # a class without training rows has no probability
    order = np.argsort(head.classes_)
    columns = order[np.searchsorted(head.classes_, y[known], sorter=order)]
    true = np.maximum(probabilities[known][np.arange(len(columns)), columns], 1e-300)
    return {
        "accuracy": float(hits.mean()),
        "macro_recall": float(recalls.mean()),
        "classes_at_zero": int((recalls == 0).sum()),
        "log_loss": float(-np.log(true).mean()) if len(true) else float("nan"),
    }


@dataclass(frozen=True)
class Estimate:
    """Mean over draws, and its 95% confidence interval by Student's t.

    The ends are not a number where there is one draw, or all are the same.
    """

    mean: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float], least: float = -np.inf, most: float = np.inf) -> Estimate:
        """Estimate from one value of each draw; the interval ends at what is possible."""
        from scipy.special import stdtrit

        mean, n = float(np.mean(values)), len(values)
        if n < 2 or min(values) == max(values):  # also where every draw is all rows
            return cls(mean, float("nan"), float("nan"))
        half = float(stdtrit(n - 1, 0.975) * np.std(values, ddof=1) / n**0.5)
        return cls(mean, max(mean - half, least), min(mean + half, most))


@dataclass(frozen=True)
class CurvePoint:
    """Scores of one head fitted to `shots` images of each class, `n_train` in all.

    `gain` is the macro recall of the first head minus that of this one on the same draws; None for
    the first one itself and for zero-shot.
    """

    head: str
    shots: int
    n_train: int
    accuracy: Estimate
    macro_recall: Estimate
    log_loss: float  # means over the draws, as is the next
    classes_at_zero: float
    gain: Estimate | None


def curve_points(rows: Sequence[Mapping[str, Any]], head: str = "") -> list[CurvePoint]:
    """Summarise the rows of `learning_curve` over the draws, by images of each class and head.

    Rows of older runs name no head, which is `head` then, and have no log loss.
    """
    groups: dict[tuple[int, str], list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        groups[int(row["shots"]), str(row.get("head") or head)].append(row)
    first: dict[int, list[Mapping[str, Any]]] = {}
    points = []
    for (shots, name), same in groups.items():
        best = first.setdefault(shots, same)
        pairs = zip(best, same, strict=False)
        gains = [one["macro_recall"] - other["macro_recall"] for one, other in pairs]
        point = CurvePoint(
            head=name,
            shots=shots,
            n_train=int(same[0]["n_train"]),
            accuracy=Estimate.of([row["accuracy"] for row in same], 0, 1),
            macro_recall=Estimate.of([row["macro_recall"] for row in same], 0, 1),
            log_loss=float(np.mean([row.get("log_loss", np.nan) for row in same])),
            classes_at_zero=float(np.mean([row["classes_at_zero"] for row in same])),
            gain=None if best is same else Estimate.of(gains, -1, 1),
        )
        points.append(point)
    return points
