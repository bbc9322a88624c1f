"""Learn from few images of each class, drawn several times: a learning curve."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import InputError
from fishembed.experiments.train_test_split import Indices
from fishembed.experiments.training import TrainingData, fit_head

Row = dict[str, Any]


@dataclass(frozen=True)
class FewShotSettings:
    """Which training sets of few images are drawn.

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
    build: Callable[[], Any],
    data: TrainingData,
    scored: tuple[npt.NDArray[np.float32], npt.NDArray[np.int32]],
    settings: FewShotSettings,
) -> Iterator[Row]:
    """Fit a head to every drawn training set and score it; yield one row for each.

    Parameters
    ----------
    build
        Returns a head that is not fitted.
    data
        All training rows.
    scored
        float32 (n, dim) features and (n,) labels that the head is scored on.
    settings
        What is drawn.
    """
    X, y = scored
    for shots in settings.shots:
        for seed in range(settings.seeds):
            rows = few_shots(data.y, shots, seed)
            head = build()
            fit_head(head, data.subset(rows))
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
