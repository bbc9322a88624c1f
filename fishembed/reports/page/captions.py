"""The captions of figures, which are also their texts for screen readers, and tips on points."""

from __future__ import annotations

from fishembed._base.text import counted, listed, printable
from fishembed.evaluation.confidence import Reliability
from fishembed.experiments.few_shot import CurvePoint, curve_points
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.text_tables import judged_on
from fishembed.reports.wording import percent, split_photos

_WORTH_IT = 0.01
"""Share by which a step of the learning curve has to rise to be called worth it."""


def epoch_caption(result: RunResult, what: str) -> str:
    """Return the last values of loss or accuracy; empty for heads that do not train by epochs."""
    last = [
        (result.history[f"{part}_{what}"][-1], name)
        for part, name in (("train", "training"), ("val", "validation"))
        if f"{part}_{what}" in result.history
    ]
    if not last:
        return ""
    title, written = {"loss": ("Loss", _plain), "accuracy": ("Accuracy", _percent)}[what]
    values = [f"{written(value)} in {name}" for value, name in last]
    return f"{title} after the last epoch: {listed(values)}."


def _plain(value: float) -> str:
    return f"{value:.2f}"


def _percent(value: float) -> str:
    return f"{percent(value)}%"


def scored_line_caption(result: RunResult) -> str:
    """Describe what the dashed line of the accuracy is; empty where it is not drawn."""
    accuracy, split = result.metrics.get("accuracy"), result.scored_split
    if accuracy is None or split == "train":
        return ""
    return f" The dashed line is what the {split_photos(split)} reached: {percent(accuracy)}%."


def selection_caption(result: RunResult) -> str:
    """Describe the figure of the candidates."""
    return (
        f"{len(result.selection)} candidates by the scores that served to choose, share right and "
        f"average over species {judged_on(result.selection).replace('images', 'photos')}; the "
        "ring marks the one chosen."
    )


def top_k_caption(result: RunResult) -> str:
    """Describe the ends of the top-k curve; empty where no image is labelled."""
    if not result.top_k:
        return ""
    first, last = result.top_k[0], result.top_k[-1]
    return (
        f"Its first guess was right for {percent(first.share)}% of the photos; among its first "
        f"{last.k} guesses the truth was for {percent(last.share)}%."
    )


def learning_curve_message(result: RunResult) -> tuple[str, str]:
    """Return whether more images of each class still help, and the figures; empty for no curve."""
    head = str(result.info.get("head", ""))
    curve = [p for p in curve_points(result.few_shot, head) if p.shots and p.gain is None]
    if not curve:
        return "", ""
    first, last = curve[0], curve[-1]
    name = printable(last.head)
    if last is first:
        photos = counted(last.shots, "photo")
        return f"With {photos} of each species {name} finds {_average(last)}% on average.", ""
    before = curve[-2]
    gain = last.macro_recall.mean - before.macro_recall.mean
    steps = f"from {before.shots} to {last.shots} photos of each species"
    if gain >= _WORTH_IT:
        summary = f"Yes: {steps} still adds {100 * gain:.1f} points"
    elif gain > -_WORTH_IT:
        summary = f"Hardly: {steps} changes it by {100 * gain:+.1f} points"
    else:
        summary = f"No: {steps} loses {-100 * gain:.1f} points"
    text = (
        f"The average over species goes from {_average(first)}% with "
        f"{counted(first.shots, 'photo')} of each to {_average(last)}% with {last.shots}; with all "
        f"training photos it is {percent(result.metrics['macro_recall'])}%."
    )
    if result.metrics["macro_recall"] < last.macro_recall.mean - 2 * _WORTH_IT:
        text += (
            " Less with all than with few: the many photos of common species push rare ones "
            "aside. The classifiers auto and prior-corrected make up for that."
        )
    return f"{summary}.", text


def _average(point: CurvePoint) -> str:
    return percent(point.macro_recall.mean)


def acceptance_caption() -> str:
    """Describe the figure of what is accepted, and right, by how sure the head is."""
    return (
        "The higher the bar, the fewer photos are accepted (orange, dashed) and the more of them "
        "are right (blue)."
    )


def class_tips(table: ClassTable) -> list[str]:
    """Describe each point of the figure of recall by training images, in the figure's order."""
    return [
        f"{table.names[i]}: {table.correct[i]} of {table.n[i]} found "
        f"({percent(float(table.recall[i]), 0)}%); {table.n_train[i]:,.0f} training photos"
        for i in table.trained_and_scored
    ]


def bin_tips(bins: Reliability) -> list[str]:
    """Describe each point of the reliability diagram, in the figure's order."""
    return [
        f"{counted(int(n), 'photo')} of which it was {percent(float(c))}% sure: "
        f"{percent(float(a))}% right ({percent(float(low))} to {percent(float(high))})"
        for n, c, a, low, high in zip(
            bins.n, bins.confidence, bins.accuracy, bins.low, bins.high, strict=True
        )
    ]
