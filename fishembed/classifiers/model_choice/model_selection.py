"""Scores of candidate models on held-out rows, and the choice among those that tie."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Codes, Double, Floats
from fishembed.classifiers.temperature import best_scale, log_losses

SelectOn = Literal["macro_recall", "accuracy", "macro_f1", "log_loss"]
SELECT_ON = ("macro_recall", "accuracy", "macro_f1", "log_loss")

# Of the log loss of a macro score. With every class counting the same, the few rows of rare
# classes would ask for ever more correction of the prior, until frequent classes are mixed up:
# at 0.2 accuracy falls by half a point, at 0.5 macro recall by a quarter.
_SHARE_OF_ROWS = 0.4
_LOGITS_FOR_SCALE = 1_000_000  # one number is learnt from them


@dataclass(frozen=True)
class Trial:
    """Scores of one candidate on rows it was not trained on.

    They compare candidates. The scores of the one chosen are no estimate of what it will reach:
    the best of many on the same rows is best by luck too.

    Attributes
    ----------
    candidate
        Name of the kind of model, or ``"ensemble"``.
    parameters
        Of the model; `tau` is the share of the log prior that is subtracted from the logits. Of
        an ensemble `tau` and, after the name of a kind of model and a dot, its `share` of all
        weight, and the parameters of its model or how many `models` it is.
    accuracy
        Share of rows classified correctly.
    macro_recall, macro_f1
        Mean recall and mean F1 over the classes of the evaluated rows.
    log_loss
        Mean -log p(true class) in nats at the best temperature; where the selection is on a
        macro score, three fifths of the weight shared evenly by the classes, two by the rows.
    accuracy_std, macro_recall_std, macro_f1_std, log_loss_std
        Standard deviations of the same over the folds, within each over the classes it holds.
    seconds
        Its share of what its grid took, and what scoring it took.
    rows
        Number of evaluated rows.
    tied
        Whether chance explains how far its score is from the best.
    chosen
        Whether it was chosen.
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
class CandidateScores:
    """Scores of one candidate."""

    # means, stds: By name: over all rows, and the standard deviation over folds
    means: Mapping[str, float]
    stds: Mapping[str, float]
    hits: npt.NDArray[np.bool_]  # (n_evaluated,) whether each row was classified correctly
    scale: float  # Factor on the logits with the least log loss


@dataclass(frozen=True)
class CandidateScorer:
    """Score candidates on the same rows, and choose one."""

    codes: Codes  # (n_evaluated,) true class
    fold: Codes  # (n_evaluated,) fold of each row
    n_classes: int
    select_on: SelectOn = "macro_recall"  # The score that decides
    within: float = 1.0  # Standard errors of a difference within which two scores tie
    # (n_evaluated,) groups whose rows are not independent; None for every row its own
    groups: npt.NDArray[Any] | None = None

    @cached_property
    def weights(self) -> Double:
        """(n_evaluated,) weights of the score that decides; they sum to 1."""
        if not self.select_on.startswith("macro"):
            return np.full(len(self.codes), 1 / len(self.codes))
        counts = np.bincount(self.codes, minlength=self.n_classes)
        weights: Double = 1 / counts[self.codes] / np.count_nonzero(counts)
        return weights

    @cached_property
    def loss_weights(self) -> Double:
        """(n_evaluated,) weights of the log loss; they sum to 1."""
        share = _SHARE_OF_ROWS / len(self.codes)
        weights: Double = (1 - _SHARE_OF_ROWS) * self.weights + share
        return weights

    def score(self, logits: Floats) -> CandidateScores:
        """Compute every score of (n_classes, n_evaluated) logits."""
        predicted = logits.argmax(axis=0)
        every = -(-logits.size // _LOGITS_FOR_SCALE)
        scale = self.best_scale(logits[:, ::every], every)
        losses = log_losses(logits * np.float32(scale), self.codes)
        everything = np.ones(len(self.codes), dtype=bool)
        folds = [self._scores(predicted, losses, self.fold == k) for k in np.unique(self.fold)]
        return CandidateScores(
            self._scores(predicted, losses, everything),
            {name: float(np.std([fold[name] for fold in folds])) for name in SELECT_ON},
            predicted == self.codes,
            scale,
        )

    def best_scale(self, logits: Floats, every: int = 1) -> float:
        """Return the factor on logits with the least log loss, by every so many of the rows."""
        return best_scale(logits, self.codes[::every], self.loss_weights[::every])

    def _scores(
        self, predicted: Codes, losses: Double, rows: npt.NDArray[np.bool_]
    ) -> dict[str, float]:
        codes, predicted = self.codes[rows], predicted[rows]
        counts = np.bincount(codes, minlength=self.n_classes)
        correct = np.bincount(codes[predicted == codes], minlength=self.n_classes)
        both = counts + np.bincount(predicted, minlength=self.n_classes)
        present = counts > 0
        weights = self.loss_weights[rows]
        return {
            "accuracy": float(correct.sum() / len(codes)),
            "macro_recall": float((correct[present] / counts[present]).mean()),
            "macro_f1": float((2 * correct[present] / both[present]).mean()),
            "log_loss": float(losses[rows] @ weights / weights.sum()),
        }

    def choose(self, scores: Sequence[CandidateScores]) -> tuple[int, list[int]]:
        """Choose the best of the candidates.

        A candidate ties with the best where the difference of their scores is within `within`
        standard errors of that difference over the same rows; of those that tie, the one with
        the least log loss is chosen, and the earlier one at a draw. With few rows of a class
        macro recall is a lottery; the log loss of the same rows is not. Returns the position of
        the choice, and of all that tie with the best.
        """
        sign = -1 if self.select_on == "log_loss" else 1
        values = np.array([sign * one.means[self.select_on] for one in scores])
        best = int(values.argmax())
        if self.select_on == "log_loss":
            return best, [best]
        tied = [
            k
            for k, one in enumerate(scores)
            if values[best] - values[k]
            <= self.within * self._standard_error(one.hits, scores[best].hits)
        ]
        return min(tied, key=lambda k: (scores[k].means["log_loss"], k)), tied

    def _standard_error(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> float:
        """Return the standard error of the weighted mean difference of two values of a row."""
        weighted = (first.astype(np.float64) - second) * self.weights
        if self._group is not None:
            weighted = np.bincount(self._group, weighted)
        return float(np.sqrt(weighted @ weighted))

    @cached_property
    def _group(self) -> Codes | None:
        return None if self.groups is None else np.unique(self.groups, return_inverse=True)[1]
