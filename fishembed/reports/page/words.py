"""What each figure on the page says, in words: its caption, and its text for screen readers."""

from __future__ import annotations

from collections.abc import Callable

from fishembed._base.text import listed
from fishembed.reports.calibration import reliability, top_k_accuracy
from fishembed.reports.outcome import Outcome
from fishembed.reports.page.why import calibration_verdict, training_effect
from fishembed.reports.run import Run
from fishembed.reports.sentences import percent, split_images


def figure_words(run: Run, outcome: Outcome) -> dict[str, str]:
    """Put the figures that stand on the page into words, by the names of their files."""
    bins = reliability(outcome.predictions)
    return {
        "loss": _ends(outcome, "loss", "Loss", lambda value: f"{value:.2f}"),
        "accuracy": _ends(outcome, "accuracy", "Accuracy", lambda value: f"{percent(value)}%")
        + _scored(run),
        "selection": f"{len(run.selection)} candidates by accuracy and macro recall, "
        "cross-validated on the training images; the ring marks the one taken.",
        "recall_by_training": training_effect(outcome.classes),
        "reliability": calibration_verdict(bins) if bins else "",
        "top_k": _top_k(outcome),
    }


def _ends(outcome: Outcome, what: str, title: str, written: Callable[[float], str]) -> str:
    parts = (("train", "training"), ("val", "validation"))
    values = [
        f"{written(outcome.history[f'{part}_{what}'][-1])} in {name}"
        for part, name in parts
        if f"{part}_{what}" in outcome.history
    ]
    return f"{title} after the last epoch: {listed(values)}." if values else ""


def _scored(run: Run) -> str:
    """Say what the dashed line is."""
    accuracy, split = run.metrics.get("accuracy"), run.metrics.get("scored_split", "")
    if accuracy is None or split == "train":
        return ""
    return f" The dashed line is what the {split_images(split)} reached: {percent(accuracy)}%."


def _top_k(outcome: Outcome) -> str:
    shares = top_k_accuracy(outcome)
    if not shares:
        return ""
    k, share, *_ = shares[-1]
    return (
        f"The truth was the most probable class for {percent(shares[0][1])}% of the images, and "
        f"among the {k} most probable for {percent(share)}%."
    )
