"""The captions of figures, which are also their texts for screen readers, and tips on points."""

from __future__ import annotations

from fishembed._base.printable import printable
from fishembed._base.text import counted, listed
from fishembed.evaluation.reliability import Reliability
from fishembed.experiments.few_shot import curve_points
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.text_tables import judged_on
from fishembed.reports.wording import percent, split_images


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
    return f" The dashed line is what the {split_images(split)} reached: {percent(accuracy)}%."


def selection_caption(result: RunResult) -> str:
    """Describe the figure of the candidates."""
    return (
        f"{len(result.selection)} candidates by the scores that served to choose, accuracy and "
        f"macro recall {judged_on(result.selection)}; the ring marks the one chosen."
    )


def top_k_caption(result: RunResult) -> str:
    """Describe the ends of the top-k curve; empty where no image is labelled."""
    if not result.top_k:
        return ""
    first, last = result.top_k[0], result.top_k[-1]
    return (
        f"The truth was the most probable class for {percent(first.share)}% of the images, and "
        f"among the {last.k} most probable for {percent(last.share)}%."
    )


def learning_curve_caption(result: RunResult) -> str:
    """Describe the ends of the learning curve; empty where there is none."""
    head = str(result.info.get("head", ""))
    curve = [p for p in curve_points(result.few_shot, head) if p.shots and p.gain is None]
    if not curve:
        return ""
    few, many = curve[0], curve[-1]
    ends = f"{percent(few.macro_recall.mean)}% at {counted(few.shots, 'image')} of each class"
    if many.shots > few.shots:
        ends += f", {percent(many.macro_recall.mean)}% at {many.shots}"
    return (
        f"Macro recall of {printable(few.head)}: {ends}. Bands are 95% intervals over the draws, "
        "dotted lines the accuracy; the dashed line learnt from all training images."
    )


def class_tips(table: ClassTable) -> list[str]:
    """Describe each point of the figure of recall by training images, in the figure's order."""
    return [
        f"{table.names[i]}: {table.correct[i]} of {table.n[i]} right "
        f"({percent(float(table.recall[i]), 0)}%); {table.n_train[i]:,.0f} training images"
        for i in table.trained_and_scored
    ]


def bin_tips(bins: Reliability) -> list[str]:
    """Describe each point of the reliability diagram, in the figure's order."""
    return [
        f"{counted(int(n), 'image')} at {percent(float(c))}% confidence: "
        f"{percent(float(a))}% right ({percent(float(low))} to {percent(float(high))})"
        for n, c, a, low, high in zip(
            bins.n, bins.confidence, bins.accuracy, bins.low, bins.high, strict=True
        )
    ]
