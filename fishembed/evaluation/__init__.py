"""Arrays in, scores with intervals out: no files, no printing, no plotting."""

from fishembed.evaluation.holdout import stratified_holdout
from fishembed.evaluation.intervals import (
    clopper_pearson,
    macro_recall_interval,
    proportion_intervals,
)
from fishembed.evaluation.label_noise import LabelNoise, fit_label_noise
from fishembed.evaluation.paired import macro_difference_interval, mcnemar
from fishembed.evaluation.scores import ClassScore, Scores, score

__all__ = [
    "ClassScore",
    "LabelNoise",
    "Scores",
    "clopper_pearson",
    "fit_label_noise",
    "macro_difference_interval",
    "macro_recall_interval",
    "mcnemar",
    "proportion_intervals",
    "score",
    "stratified_holdout",
]
