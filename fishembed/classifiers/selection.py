"""Which candidate to take: the best score, and among those it cannot be told from, the surest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.base import Floats
from fishembed.classifiers.calibration import best_scale, log_losses
from fishembed.classifiers.candidates import Candidate

SelectOn = Literal["macro_recall", "accuracy", "macro_f1", "log_loss"]
Double = npt.NDArray[np.float64]
SELECT_ON = ("macro_recall", "accuracy", "macro_f1", "log_loss")


@dataclass(frozen=True)
class Trial:
    """How one candidate did on rows it had not been shown.

    Attributes
    ----------
    candidate
        Families and their parameters.
    prior_correction
        Share of the log prior taken from the logits.
    macro_recall, macro_recall_spread
        Mean recall over the classes that were tested, and its standard deviation over folds.
    accuracy, accuracy_spread
        Share of rows called right, and its standard deviation over folds.
    macro_f1
        Mean F1 over the classes that were tested.
    log_loss
        Mean -log p(true class) in nats at the best temperature; every class counting the same
        where the selection is on a macro score.
    seconds
        Time spent on its family, shared by all candidates of the family.
    tied
        Whether it could not be told from the best.
    chosen
        Whether it was taken.
    """

    candidate: str
    prior_correction: float
    macro_recall: float
    macro_recall_spread: float
    accuracy: float
    accuracy_spread: float
    macro_f1: float
    log_loss: float
    seconds: float
    tied: bool = False
    chosen: bool = False


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
    """

    codes: npt.NDArray[np.intp]
    fold: npt.NDArray[np.intp]
    n_classes: int
    select_on: SelectOn = "macro_recall"

    @property
    def counts(self) -> npt.NDArray[np.intp]:
        """(n_classes,) tested rows."""
        return np.bincount(self.codes, minlength=self.n_classes)

    @property
    def balanced(self) -> Double:
        """(n_tested,) weights under which every tested class counts the same; they sum to 1."""
        counts = self.counts
        weights: Double = 1 / counts[self.codes] / np.count_nonzero(counts)
        return weights

    @property
    def weights(self) -> Double:
        """(n_tested,) weights of the score that decides; they sum to 1."""
        if self.select_on.startswith("macro"):
            return self.balanced
        return np.full(len(self.codes), 1 / len(self.codes))

    def hits(self, candidate: Candidate) -> npt.NDArray[np.bool_]:
        """(n_tested,) whether a row was called right."""
        right: npt.NDArray[np.bool_] = candidate.by_class.argmax(axis=0) == self.codes
        return right

    def scale(self, candidate: Candidate) -> float:
        """Factor on the logits with the least log loss."""
        return best_scale(candidate.by_class, self.codes, self.weights)

    def judge(self, candidate: Candidate, seconds: float) -> Trial:
        """Compute every score."""
        hits = self.hits(candidate)
        logits = candidate.by_class * np.float32(self.scale(candidate))
        parts = [self._part(hits, self.fold == k) for k in np.unique(self.fold)]
        recall_spread, accuracy_spread = np.std(parts, axis=0)
        return Trial(
            candidate.name,
            candidate.prior_correction,
            float(hits @ self.balanced),
            float(recall_spread),
            float(hits.mean()),
            float(accuracy_spread),
            self._macro_f1(candidate.by_class),
            float(log_losses(logits, self.codes) @ self.weights),
            seconds,
        )

    def _part(
        self, hits: npt.NDArray[np.bool_], rows: npt.NDArray[np.bool_]
    ) -> tuple[float, float]:
        weights = 1 / np.bincount(self.codes[rows])[self.codes[rows]]
        return float(np.average(hits[rows], weights=weights)), float(hits[rows].mean())

    def _macro_f1(self, by_class: Floats) -> float:
        called = by_class.argmax(axis=0)
        right = np.bincount(self.codes[called == self.codes], minlength=self.n_classes)
        total = self.counts + np.bincount(called, minlength=self.n_classes)
        seen = self.counts > 0
        return float((2 * right[seen] / total[seen]).mean())

    def choose(self, candidates: list[Candidate], trials: list[Trial]) -> tuple[int, list[int]]:
        """Take one.

        A candidate ties with the best where the difference of their scores is within one
        standard error of that difference over the same rows; of those that tie, the one with the
        least log loss is taken, and the earlier one at a draw. With few rows of a class macro
        recall is a lottery; the log loss of the same rows is not.

        Returns
        -------
        int, list of int
            Position of the choice, and of all that tie with the best.
        """
        scores = np.array([self._score(trial) for trial in trials])
        best = int(scores.argmax())
        if self.select_on == "log_loss":
            return best, [best]
        best_hits = self.hits(candidates[best]).astype(np.float64)
        weights = self.weights
        tied = []
        for k, candidate in enumerate(candidates):
            difference = self.hits(candidate) - best_hits
            error = float(np.sqrt((difference * weights) @ (difference * weights)))
            if scores[best] - scores[k] <= error:
                tied.append(k)
        return min(tied, key=lambda k: (trials[k].log_loss, k)), tied

    def _score(self, trial: Trial) -> float:
        value: float = getattr(trial, self.select_on)
        return -value if self.select_on == "log_loss" else value
