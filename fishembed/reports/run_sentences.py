"""The sentences of a report: a run's scores, and what may explain them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted, listed, printable, shortened
from fishembed.evaluation.confidence import Reliability
from fishembed.evaluation.confusion_counts import ConfusedPair
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.wording import interval, percent, split_images

FEW, MANY = 20, 100
"""Classes with fewer than 20 training images are few-shot, with more than 100 many-shot.

Liu, Miao, Zhan, Wang, Gong & Yu (2019). Large-scale long-tailed recognition in an open
world. CVPR.
"""

_ZERO_CLASSES_NAMED = 3
_UNSCORED_NAMED = 8


def summary_sentence(metrics: Mapping[str, Any]) -> str:
    """Return a sentence on a run's scores; `metrics` is the content of `metrics.json`."""
    n = metrics.get("n", 0)
    what = split_images(metrics.get("scored_split", ""))
    if not n:
        return f"No labelled {what} were scored."
    if n == 1:
        what = what.removesuffix("s")
    return (
        f"{percent(metrics['accuracy'])}% of {n:,} {what} right "
        f"({interval(metrics['accuracy_ci95'])}); "
        f"macro recall {percent(metrics['macro_recall'])} "
        f"({interval(metrics['macro_recall_ci95'])}); {classes_at_zero(metrics)}."
    )


def classes_at_zero(metrics: Mapping[str, Any]) -> str:
    """Name the classes with no image predicted right."""
    zero = [shortened(printable(name), 40) for name in metrics.get("zero_recall_classes", ())]
    if not zero:
        return "no class at zero"
    count = counted(len(zero), "class", "classes")
    if len(zero) <= _ZERO_CLASSES_NAMED:
        return f"{count} at zero: {listed(zero)}"
    return f"{count} at zero, among them {listed(zero[:_ZERO_CLASSES_NAMED])}"


def weakest_classes(metrics: Mapping[str, Any]) -> str:
    """Return sentences on the most missed class, on false alarms and on the score of a guess.

    Empty for runs whose metrics do not hold these.
    """
    missed, alarm = metrics.get("worst_recall"), metrics.get("worst_precision")
    if not missed or not alarm:
        return ""
    names = [
        shortened(printable(name), 40)
        for name in (missed["class"], alarm["class"], metrics["majority_class"])
    ]
    guess = (
        f"Always guessing {names[2]} would be right for {percent(metrics['majority_accuracy'])}% "
        f"(macro recall {percent(metrics['majority_macro_recall'])})."
    )
    if missed["recall"] == alarm["precision"] == 1:
        return guess
    return (
        f"Weakest: of {counted(missed['n'], 'image')} of {names[0]}, {missed['correct']:,} right "
        f"(recall {percent(missed['recall'])}, {interval(missed['recall_ci95'])}); of "
        f"{counted(alarm['predicted'], 'image')} called {names[1]}, {alarm['correct']:,} right "
        f"(precision {percent(alarm['precision'])}, {interval(alarm['precision_ci95'])}). {guess}"
    )


def caveats(result: RunResult) -> list[str]:
    """Return sentences on what limits the scores: split, images without label, empty classes."""
    sentences = []
    if result.scored_split == "train":
        sentences.append(
            "The photos scored are the ones the classifier learnt from: "
            "this says nothing about new ones."
        )
    unlabelled = int((~result.images.labelled).sum())
    if unlabelled:
        sentences.append(f"{counted(unlabelled, 'photo')} without a label could not be scored.")
    table = result.classes
    without = [table.names[i] for i in np.flatnonzero(table.n == 0)]
    if without and len(table.scored):
        several = len(without) > _UNSCORED_NAMED
        few = ", ".join(without[:_UNSCORED_NAMED]) + ", …" if several else listed(without)
        count = counted(len(without), "species", "species")
        sentences.append(f"{count} had no photos to be scored on and count nowhere: {few}.")
    return sentences


def intervals_note(n_groups: int | None) -> str:
    """Return a sentence on what the intervals assume to be independent: images or groups."""
    if n_groups is None:
        return "Intervals are 95% and take every photo for independent of the others."
    return (
        "Intervals are 95% and do not take photos of one group, such as frames of one fish, for "
        f"independent; there are {counted(n_groups, 'group')}."
    )


def mixup_reason(table: ClassTable, pair: ConfusedPair) -> str:
    """Compare the training images of a confused pair, as the end of a sentence.

    Empty where nothing was trained on.
    """
    name = table.names[pair.predicted]
    n_true, n_predicted = table.n_train[pair.true], table.n_train[pair.predicted]
    if math.isnan(n_true) or math.isnan(n_predicted):
        return ""
    counts = f"({n_predicted:,.0f} against {n_true:,.0f})"
    if n_true < 1:
        return f"; there were no training photos of the true species {counts}"
    ratio = n_predicted / n_true
    if ratio >= 1.3:
        times = f"{ratio:,.0f}" if ratio >= 10 else f"{ratio:.1f}"
        return f"; {name} has {times} times the training photos {counts}"
    if ratio > 1 / 1.3:
        return f"; both have about as many training photos {counts}"
    return f", although {name} has fewer training photos {counts}"


def training_effect(table: ClassTable) -> str:
    """Return a sentence on how recall depends on training images; empty for zero-shot."""
    shown = table.trained_and_scored
    if not len(shown):
        return ""
    n, recall = table.n_train[shown], table.recall[shown]
    groups = (
        (n < FEW, f"fewer than {FEW}"),
        ((n >= FEW) & (n <= MANY), f"{FEW} to {MANY}"),
        (n > MANY, f"more than {MANY}"),
    )
    parts: list[str] = []
    for at, label in groups:
        if at.any():
            share = percent(float(recall[at].mean()), 0)
            species = f"the {int(at.sum()):,} species" if at.sum() > 1 else "the one species"
            what = "" if parts else " training photos"
            parts.append(f"{share}% of {species} with {label}{what}")
    lead, rho = _rank_correlation(n, recall)
    return f"{lead}Found on average: {', '.join(parts)}.{rho}"


def calibration_sentence(bins: Reliability) -> str:
    """Return a sentence on the calibration: whether confidence and accuracy agree."""
    gap = bins.mean_confidence - bins.mean_accuracy
    how_sure = "about as sure as it is right"
    if abs(gap) > 0.02:
        how_sure = "surer than it is right" if gap > 0 else "less sure than it is right"
    return (
        f"It is {how_sure}: {percent(bins.mean_confidence)}% sure on average, "
        f"{percent(bins.mean_accuracy)}% right. On the dashed line sureness can be believed; the "
        f"expected calibration error is {percent(bins.ece)} points, over ten bins."
    )


def _rank_correlation(n: npt.NDArray[Any], recall: npt.NDArray[Any]) -> tuple[str, str]:
    """Return sentences on the rank correlation and its value; "" where it means nothing."""
    if len(n) < 5 or np.ptp(n) == 0 or np.ptp(recall) == 0:
        return "", ""
    rho = float(np.corrcoef(_ranks(n), _ranks(recall))[0, 1])
    often = "not found more" if rho < 0.2 else "found somewhat more" if rho < 0.5 else "found more"
    lead = f"Species with more training photos are {often} often. "
    return lead, f" Their rank correlation is {rho:.2f} (Spearman's, over species)."


def _ranks(values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Rank values from 0 up; equal ones share the mean of their ranks."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(count) - (count + 1) / 2)[place])
