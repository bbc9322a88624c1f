"""The first screen of a report: one sentence, three figures, and advice on trusting each class."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from fishembed._base.text import counted, printable, shortened
from fishembed.experiments.runs.run_result import ClassTable, RunResult
from fishembed.reports.run_sentences import caveats
from fishembed.reports.wording import interval, percent, rounded, split_photos

MOST_WORDS = 15
_NAME_WORDS, _NAME_LETTERS = 3, 40
_ENOUGH = 5
"""Images below which a class is not named as failing most: one image decides too much."""


@dataclass(frozen=True)
class KeyFigure:
    """One of the figures under the sentence: its name, its `value` and interval as text.

    `at`, `ends` and `guess_at` are shares for the gauge; `guess` is a text on the score of always
    guessing the commonest class; `about` is a line below, "" for none.
    """

    name: str
    value: str
    interval: str
    ends: tuple[float, float]
    at: float
    guess: str
    guess_at: float
    about: str = ""


@dataclass(frozen=True)
class TrustAnswer:
    """Advice on trusting a predicted class: `summary` of a word or two, `words` with figures."""

    name: str
    summary: str
    words: str


def overview(result: RunResult) -> dict[str, Any]:
    """Return all values of the first screen for the template."""
    info, advice, alarm = result.info, trust_answers(result), worst_alarm(result)
    names = [one.name for one in advice]
    first = 0 if alarm is None else names.index(result.classes.names[alarm])
    return {
        "head": printable(str(info.get("head", ""))),
        "encoder": printable(str((info.get("encoder") or {}).get("name", ""))),
        "headline": headline(result),
        "key_figures": key_figures(result),
        "trust": trust_facts(result) if result.metrics.get("n") else [],
        "grouped": result.images.groups is not None,
        "notes": caveats(result),
        "answers": advice,
        "asked": first if advice else None,
    }


def failing_most(table: ClassTable) -> int | None:
    """Return the class that fails most, of those with some images; None where none fails."""
    order = [i for i in table.worst_first.tolist() if table.recall[i] < 1]
    return next((i for i in order if table.n[i] >= _ENOUGH), order[0] if order else None)


def headline(result: RunResult) -> str:
    """Return the run's accuracy and its worst class as a sentence of at most fifteen words."""
    n = int(result.metrics.get("n", 0))
    noun = split_photos(result.scored_split, n)
    if not n:
        return f"No labelled {noun} were scored."
    table, right = result.classes, rounded(result.metrics["accuracy"])
    short = f"{right}% of {n:,} {noun} right"
    long = short.replace(" right", " identified right")
    worst = failing_most(table)
    if worst is None:
        return f"{long}; no species fails."
    name = table.names[worst]
    names = [f"species {name}" if name[:1].isdigit() else name]
    forms = [f"{long}; {{}} fails most.", f"{short}; {{}} fails most."]
    if (instead := result.called_instead[worst]) is not None:
        names.append(table.names[instead[0]])
        mistaken = "; {} fails most, taken for {}."
        forms = [long + mistaken, short + mistaken, *forms]
    for most_words in (99, _NAME_WORDS, 2):
        for form in forms:
            text = form.format(*(_cut(one, most_words) for one in names))
            if len(text.split()) <= MOST_WORDS:
                return text
    return f"{short}."


def _cut(name: str, most_words: int) -> str:
    parts = name.split()
    short = " ".join(parts[:most_words]) + ("…" if len(parts) > most_words else "")
    return shortened(short, _NAME_LETTERS)


def key_figures(result: RunResult) -> list[KeyFigure]:
    """Return share right, average over species and worst false alarm, with intervals."""
    metrics, table = result.metrics, result.classes
    if not metrics.get("n"):
        return []
    guessed, named, averaged = _guess(result)

    def figure(
        name: str, share: float, ends: tuple[float, float], guess: float, about: str = ""
    ) -> KeyFigure:
        always = f"always {shortened(guessed, _NAME_LETTERS)}: {percent(guess)}%"
        value = f"{percent(share)}%"
        return KeyFigure(name, value, interval(ends), ends, share, always, guess, about)

    figures = [
        figure(name, metrics[key], tuple(metrics[f"{key}_ci95"]), guess)
        for name, key, guess in (
            ("Share right (accuracy)", "accuracy", named),
            ("Average over species (macro recall)", "macro_recall", averaged),
        )
    ]
    alarm = worst_alarm(result)
    if alarm is not None:
        called = int(table.predicted[alarm])
        about = (
            f"{int(table.correct[alarm]):,} of {counted(called, 'photo')} identified as "
            f"{shortened(table.names[alarm], _NAME_LETTERS)}"
        )
        share, ends = table.correct[alarm] / called, result.precision_intervals[alarm].tolist()
        name = "Worst false alarm (precision)"
        figures.append(figure(name, float(share), tuple(ends), named, about))
    return figures


def _guess(result: RunResult) -> tuple[str, float, float]:
    """Return the class that a constant guess names, its accuracy, and its macro recall."""
    metrics, table = result.metrics, result.classes
    if "majority_class" in metrics:
        shares = metrics["majority_accuracy"], metrics["majority_macro_recall"]
        return printable(str(metrics["majority_class"])), *shares
    trained = np.nan_to_num(table.n_train)
    most = int((trained if trained.any() else table.n).argmax())
    n, scored = int(table.n.sum()), len(table.scored)
    return table.names[most], float(table.n[most] / n), float(table.n[most] > 0) / scored


def worst_alarm(result: RunResult) -> int | None:
    """Return the class of lowest precision by its interval's upper end; None without any."""
    table = result.classes
    called = np.flatnonzero(table.predicted > 0)
    if not len(called):
        return None
    ends = result.precision_intervals
    return min(called.tolist(), key=lambda i: (ends[i, 1], table.correct[i] / table.predicted[i]))


def trust_facts(result: RunResult) -> list[str]:
    """Return the data behind the figures: splits, groups, near-identical images, class sizes."""
    metrics, table = result.metrics, result.classes
    n, noun = int(metrics.get("n", 0)), split_photos(result.scored_split)
    grouped = "no groups are known, so every photo counts on its own"
    if (groups := metrics.get("n_groups")) is not None:
        grouped = f"they count as {counted(groups, 'group')} (tracks, dives or sites)"
    facts = [_scored_on(result, n, noun), grouped, _near_identical(result)]
    trained = table.n_train[~np.isnan(table.n_train)]
    if len(trained):
        facts.append(f"{_range(trained)} training photos per species")
    if len(table.scored):
        facts.append(f"{_range(table.n[table.scored])} {noun} per species")
    return [*filter(None, facts), "intervals are 95%"]


def _scored_on(result: RunResult, n: int, noun: str) -> str:
    if result.info.get("kind") == "zeroshot":
        return f"{n:,} {noun}, from the species' names alone: nothing was learnt from photos"
    if result.scored_split == "train":
        return "scored on the photos it learnt from: this says nothing about new ones"
    splits = result.metrics.get("splits") or {}
    learnt = int(np.nansum(result.classes.n_train)) or splits.get("train", 0)
    return f"learnt from {counted(learnt, 'photo')}, scored on {n:,} {noun} it never saw"


def _near_identical(result: RunResult) -> str:
    leaks = result.info.get("leaks")
    if not leaks:
        is_fit = result.info.get("kind") == "fit"
        return "near-identical photos were not looked for" if is_fit else ""
    found = leaks["identical"] + leaks["near_duplicate"] + leaks.get("same_scene", 0)
    scored = leaks["scored"]
    how = "" if leaks.get("cosine") else " (compared byte by byte only)"
    if not found:
        return f"none of them is near-identical to a training photo{how}"
    verb = "is" if found == 1 else "are"
    return f"{found:,} of {scored:,} {verb} near-identical to a training photo, which flatters{how}"


def _range(counts: Any) -> str:
    low, middle, high = (int(f(counts)) for f in (np.min, np.median, np.max))
    return f"{low:,}" if low == high else f"{low:,} to {high:,} (median {middle:,})"


def trust_answers(result: RunResult) -> list[TrustAnswer]:
    """Return for each class that occurs whether its name may be trusted, in the order of names."""
    table, ends = result.classes, result.precision_intervals
    occurring = np.flatnonzero((table.n > 0) | (table.predicted > 0)).tolist()
    return [
        TrustAnswer(table.names[i], *_trust(table, i, ends[i].tolist(), result.called_instead[i]))
        for i in sorted(occurring, key=lambda i: table.names[i])
    ]


def _trust(
    table: ClassTable, i: int, ends: Sequence[float], instead: tuple[int, int] | None
) -> tuple[str, str]:
    parts, called, right = [], int(table.predicted[i]), int(table.correct[i])
    summary = "It never says so."
    if called:
        share = right / called
        parts.append(
            f"right {right:,} of the {counted(called, 'time')} it said so, "
            f"{rounded(share)}% ({interval(ends)})"
        )
        sure = (ends[0] >= 0.9, "Yes."), (ends[1] < 0.5, "No.")
        likely = (share >= 0.95, "Probably."), (share < 0.5, "Rather not.")
        summary = next((words for is_so, words in (*sure, *likely) if is_so), "With care.")
    n = int(table.n[i])
    if n:
        found = f"it finds {right:,} of {n:,} ({rounded(right / n)}%)"
        if instead is not None and not math.isnan(table.recall[i]):
            found += f", and takes {instead[1]:,} for {table.names[instead[0]]}"
        parts.append(found)
    else:
        parts.append("none was among the scored photos")
    text = "; ".join(parts)
    return summary, f"{text[:1].upper()}{text[1:]}."
