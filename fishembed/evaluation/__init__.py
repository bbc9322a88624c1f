"""Arrays in, scores with intervals out: no files, no printing, no plotting."""

from fishembed.evaluation.intervals import bootstrap_macro_recall, wilson, wilson_of_rows
from fishembed.evaluation.paired import mcnemar
from fishembed.evaluation.scores import ClassScore, Scores, score
from fishembed.evaluation.splits import stratified_holdout

__all__ = [
    "ClassScore",
    "Scores",
    "bootstrap_macro_recall",
    "mcnemar",
    "score",
    "stratified_holdout",
    "wilson",
    "wilson_of_rows",
]
