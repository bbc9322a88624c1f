"""Sentences on what a comparison of runs shows."""

from __future__ import annotations

from fishembed._base.text import counted, listed, shortened
from fishembed.experiments.comparison import ComparedRun, Comparison, Difference
from fishembed.reports.wording import percent, points, split_images

_NAME = 40


def compared_images(comparison: Comparison) -> str:
    """Return the images in words: "878 test images of 23 classes"."""
    splits = {str(run.metrics.get("scored_split", "")) for run in comparison.runs}
    split = splits.pop() if len(splits) == 1 else ""
    what, n = split_images(split), len(comparison.paths)
    what = what.removesuffix("s") if n == 1 else what
    return f"{n:,} {what} of {counted(len(comparison.classes), 'class', 'classes')}"


def headline(comparison: Comparison) -> str:
    """Return one short sentence: which run is best, and whether that could be chance."""
    order = comparison.best_first
    if len(order) == 1:
        one = comparison.entries[order[0]]
        return (
            f"{_name(one)}: {value_text(one.macro_recall, one.macro_recall_sd)}% average over "
            f"species in {len(one.runs)} seeds."
        )
    best = comparison.entries[order[0]]
    others = [comparison.difference(order[0], other) for other in order[1:]]
    beaten = [one for one in others if _better(one)]
    if len(others) == 1:
        return _of_two(comparison, others[0])
    if len(beaten) == len(others):
        all_ = "both" if len(others) == 2 else f"all {len(others)}"
        return f"{_name(best)} is better than {all_} others; chance does not explain it."
    rest = [one for one in others if not _better(one)]
    if any(one.real for one in rest):  # real, but not in both scores the same way
        return (
            f"{_name(best)} leads over species, better than {len(beaten)} of {len(others)}; "
            "over images others lead."
        )
    if not beaten:
        return f"{_name(best)} leads, but cannot be told apart from any other run."
    return (
        f"{_name(best)} leads: better than {len(beaten)} of {len(others)} others; the rest cannot "
        "be told apart."
    )


def difference_sentence(comparison: Comparison, d: Difference) -> str:
    """Return a sentence on what one run has more than another."""
    run, other = (comparison.entries[i] for i in (d.run, d.against))
    return (
        f"{_finding(comparison, d)}: average over species "
        f"{points(d.macro_recall, d.macro_recall_ci95)} points "
        f"(p {p_value_text(d.macro_recall_p_holm)}), share right "
        f"{points(d.accuracy, d.accuracy_ci95)} points (McNemar's p {p_value_text(d.p_holm)}) on "
        f"{compared_images(comparison)}; {counted(d.gained, 'image')} only {_name(run)} got right, "
        f"{d.lost:,} only {_name(other)}."
    )


def real_text(d: Difference) -> str:
    """Return which of two differences chance does not explain: "both", "average", "no"."""
    if d.macro_recall_real and d.accuracy_real:
        return "both"
    return "average" if d.macro_recall_real else "share right" if d.accuracy_real else "no"


def correction_note(comparison: Comparison) -> str:
    """Return a note on how differences were tested."""
    n = len(comparison.differences)
    corrected = f", corrected for the {n} pairs (Holm)" if n > 1 else ""
    return (
        "Differences and their 95% intervals are paired, image by image. A difference is called "
        f"real where chance alone makes as large a one in fewer than 5 of 100 tries{corrected}: "
        "McNemar's exact test for the share right, a score test for the average over species."
    )


def seeds_note(comparison: Comparison) -> str:
    """Return a note on what ± is; empty where every run has one seed."""
    several = [entry for entry in comparison.entries if len(entry.runs) > 1]
    if not several:
        return ""
    what = listed([f"{_name(entry)} {len(entry.runs)}" for entry in several])
    return f"± is the standard deviation over seeds ({what}); intervals are over images."


def p_value_text(p_value: float) -> str:
    """Write a p-value with its sign: "= 0.034", "< 0.001"."""
    return "< 0.001" if p_value < 0.001 else f"= {p_value:.2g}"


def value_text(share: float, sd: float | None = None) -> str:
    """Write a share in percent, with its standard deviation over seeds where there is one."""
    return percent(share) + ("" if sd is None else f" ± {percent(sd)}")


def _better(d: Difference) -> bool:
    """Whether a run is really better in one score and not really worse in the other."""
    up = (d.macro_recall_real and d.macro_recall > 0) or (d.accuracy_real and d.accuracy > 0)
    down = (d.macro_recall_real and d.macro_recall < 0) or (d.accuracy_real and d.accuracy < 0)
    return up and not down


def _of_two(comparison: Comparison, d: Difference) -> str:
    if not d.real:
        return f"{_finding(comparison, d)} on these images."
    best, other = (comparison.entries[i] for i in (d.run, d.against))
    key = "macro_recall" if d.macro_recall_real else "accuracy"
    what = "average over species" if d.macro_recall_real else "right"
    return (
        f"{_finding(comparison, d)}: {percent(getattr(best, key))}% against "
        f"{percent(getattr(other, key))}% {what}."
    )


def _finding(comparison: Comparison, d: Difference) -> str:
    run, other = (_name(comparison.entries[i]) for i in (d.run, d.against))
    if not d.real:
        return f"{run} and {other} cannot be told apart"
    if _better(d):
        return f"{run} is better than {other}"
    if _better(d.reversed()):
        return f"{other} is better than {run}"
    of_species, of_images = (run, other) if d.macro_recall > 0 else (other, run)
    return f"{of_species} is better over species, {of_images} over images"


def _name(entry: ComparedRun) -> str:
    return shortened(entry.name, _NAME)
