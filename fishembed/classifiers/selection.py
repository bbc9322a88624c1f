"""Which candidate to take: the best score, and among those it cannot be told from, the surest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats
from fishembed.classifiers.calibration import best_scale, log_losses

SelectOn = Literal["macro_recall", "accuracy", "macro_f1", "log_loss"]
Double = npt.NDArray[np.float64]
SELECT_ON = ("macro_recall", "accuracy", "macro_f1", "log_loss")


@dataclass(frozen=True)
class Trial:
    """How one candidate did on rows it had not been shown.

    Attributes
    ----------
    candidate
        The family, or the families of a blend.
    parameters
        Of its parts; `tau` is the share of the log prior that is taken from the logits, `share`
        what a part counts in a blend.
    accuracy
        Share of rows called right.
    macro_recall, macro_f1
        Mean recall and mean F1 over the classes that were tested.
    log_loss
        Mean -log p(true class) in nats at the best temperature; every class counting the same
        where the selection is on a macro score.
    accuracy_std, macro_recall_std, macro_f1_std, log_loss_std
        Standard deviations of the same over the folds, within each over the classes it tests.
    seconds
        Its share of what its family took, and what judging it took.
    rows
        Number of rows it was judged on.
    tied
        Whether it could not be told from the best.
    chosen
        Whether it was taken.
    """

    candidate: str
    parameters: Mapping[str, float]
    accuracy: float
    accuracy_std: float
    macro_recall: float
    macro_recall_std: float
    macro_f1: float
    macro_f1_std: float
    log_loss: float
    log_loss_std: float
    seconds: float
    rows: int
    tied: bool = False
    chosen: bool = False


@dataclass(frozen=True)
class Verdict:
    """What a jury says of one candidate.

    Attributes
    ----------
    scores, spreads
        By name, over all rows and as standard deviation over folds.
    hits, losses
        (n_tested,) whether each row was called right, and its -log p(true class).
    scale
        Factor on the logits with the least log loss.
    """

    scores: Mapping[str, float]
    spreads: Mapping[str, float]
    hits: npt.NDArray[np.bool_]
    losses: npt.NDArray[np.float32]
    scale: float


@dataclass(frozen=True)
class Jury:
    """The rows that candidates are judged on.

    Attributes
    ----------
    codes
        (n_tested,) true class.
    fold
        (n_tested,) fold of each row.
    n_classes
        Number of classes.
    select_on
        The score that decides.
    within
        Standard errors of a difference within which two scores count as the same.
    """

    codes: npt.NDArray[np.intp]
    fold: npt.NDArray[np.intp]
    n_classes: int
    select_on: SelectOn = "macro_recall"
    within: float = 1.0

    @cached_property
    def weights(self) -> Double:
        """(n_tested,) weights of the score that decides; they sum to 1."""
        if not self.select_on.startswith("macro"):
            return np.full(len(self.codes), 1 / len(self.codes))
        counts = np.bincount(self.codes, minlength=self.n_classes)
        weights: Double = 1 / counts[self.codes] / np.count_nonzero(counts)
        return weights

    def judge(self, by_class: Floats) -> Verdict:
        """Compute every score of (n_classes, n_tested) logits."""
        called = by_class.argmax(axis=0)
        scale = best_scale(by_class, self.codes, self.weights)
        losses = log_losses(by_class * np.float32(scale), self.codes)
        everything = np.ones(len(self.codes), dtype=bool)
        parts = [self._scores(called, losses, self.fold == k) for k in np.unique(self.fold)]
        return Verdict(
            self._scores(called, losses, everything),
            {name: float(np.std([part[name] for part in parts])) for name in SELECT_ON},
            called == self.codes,
            losses.astype(np.float32),
            scale,
        )

    def _scores(
        self, called: npt.NDArray[np.intp], losses: Double, rows: npt.NDArray[np.bool_]
    ) -> dict[str, float]:
        codes, called = self.codes[rows], called[rows]
        counts = np.bincount(codes, minlength=self.n_classes)
        right = np.bincount(codes[called == codes], minlength=self.n_classes)
        both = counts + np.bincount(called, minlength=self.n_classes)
        seen = counts > 0
        weights = self.weights[rows]
        return {
            "accuracy": float(right.sum() / len(codes)),
            "macro_recall": float((right[seen] / counts[seen]).mean()),
            "macro_f1": float((2 * right[seen] / both[seen]).mean()),
            "log_loss": float(losses[rows] @ weights / weights.sum()),
        }

    def choose(self, verdicts: list[Verdict]) -> tuple[int, list[int]]:
        """Take one.

        A candidate ties with the best where the difference of their scores is within `within`
        standard errors of that difference over the same rows; of those that tie, the one with
        the least log loss is taken, and the earlier one at a draw. With few rows of a class
        macro recall is a lottery; the log loss of the same rows is not.

        Returns
        -------
        int, list of int
            Position of the choice, and of all that tie with the best.
        """
        sign = -1 if self.select_on == "log_loss" else 1
        scores = np.array([sign * verdict.scores[self.select_on] for verdict in verdicts])
        best = int(scores.argmax())
        if self.select_on == "log_loss":
            return best, [best]
        tied = [
            k
            for k, verdict in enumerate(verdicts)
            if scores[best] - scores[k]
            <= self.within * self._error(verdict.hits, verdicts[best].hits)
        ]
        return min(tied, key=lambda k: (verdicts[k].scores["log_loss"], k)), tied

    def _error(self, ones: npt.NDArray[Any], others: npt.NDArray[Any]) -> float:
        """Give the standard error of the weighted mean difference of what two said of a row."""
        weighted = (ones.astype(np.float64) - others) * self.weights
        return float(np.sqrt(weighted @ weighted))
