"""Arrays in, scores with intervals out: no files, no printing, no plotting."""

from fishembed.evaluation.intervals import bootstrap_macro_recall, wilson
from fishembed.evaluation.scores import ClassScore, Scores, score
from fishembed.evaluation.splits import stratified_holdout

__all__ = [
    "ClassScore",
    "Scores",
    "bootstrap_macro_recall",
    "score",
    "stratified_holdout",
    "wilson",
]
