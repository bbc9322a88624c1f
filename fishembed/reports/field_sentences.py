"""Sentences and tables of a run's `field.json`: scores by place, of unknown species, by genus."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fishembed._base.text import counted, printable, shortened
from fishembed.reports.run_tables import Table
from fishembed.reports.wording import interval, percent

_TITLES = {
    "unknown": "Is it none of these?",
    "sets": "Which species can it be?",
    "by": "Does it work everywhere?",
    "leave_out": "Does it work where it has not been?",
    "pool": "Does a burst help?",
    "taxonomy": "Is it at least the right genus?",
    "problem": "What could not be answered",
}
_FIGURES = {"unknown": "risk_coverage", "by": "by", "leave_out": "leave_out"}
_ROWS = 40
_HOME = {
    "wrong": ("taxonomy",),
    "sure": ("unknown", "sets", "problem"),
    "places": ("by", "leave_out", "pool"),
}
"""Section of the page that shows a question."""


def field_sentences(found: Mapping[str, Any]) -> dict[str, str]:
    """Return one sentence for each question with a result in `field.json`, by its key."""
    makers: dict[str, Callable[[Any], str]] = {
        "unknown": _unknown,
        "sets": _sets,
        "by": _by,
        "leave_out": _leave_out,
        "pool": _pool,
        "taxonomy": _taxonomy,
        "problem": str,
    }
    return {key: make(found[key]) for key, make in makers.items() if key in found}


def _with_interval(score: Mapping[str, Any], name: str = "accuracy") -> str:
    return f"{percent(score[name])}% ({interval(score[f'{name}_ci95'])})"


def _unknown(found: Mapping[str, Any]) -> str:
    scores = found.get("scores")
    if not scores:
        return "There are too few species to hold any out: what is caught was not measured."
    one = scores["combined"]
    return (
        f"With at most {percent(found['send_back'], 0)}% of known photos sent back, "
        f"{_with_interval(one, 'caught')} of photos of species held out in turn are caught "
        f"(AUROC {percent(one['auroc'])}, {interval(one['auroc_ci95'])}). These look like the "
        "species that are known; on other data, photos of quite another kind were caught far "
        "more often."
    )


def _sets(found: Mapping[str, Any]) -> str:
    evenly = ""
    if even := found.get("evenly"):
        evenly = (
            " Where every species is as common as any other (predict --prior uniform), sets hold "
            f"the truth for {percent(even['coverage'])}% of the photos of the average species, "
            f"and name {even['mean_size']:.1f}."
        )
    return (
        f"For {_with_interval(found, 'coverage')} of the scored photos the truth is in its set, "
        f"{percent(found['probability'], 0)}% were asked for; a set names "
        f"{found['mean_size']:.1f} species on average and one species for "
        f"{percent(found['single'], 0)}% of the photos. This is promised over all photos that "
        "come as the training photos did, not for each species: rare ones may be missed more often."
        f"{evenly}"
    )


def _by(found: Mapping[str, Any]) -> str:
    alone = [row for row in found["rows"] if row["pooled"] == 1]
    if len(alone) < 2:
        return f"Too few values of {printable(found['column'])} have 20 photos to be compared."
    worst, best = alone[0], alone[-1]
    return (
        f"Worst at {found['column']} {_name(worst)}: {_with_interval(worst)} of "
        f"{counted(worst['n'], 'photo')} right; best at {_name(best)}: {_with_interval(best)}."
    )


def _leave_out(found: Mapping[str, Any]) -> str:
    lowest = next((row for row in found["rows"] if row["pooled"] == 1), None)
    falls = "" if lowest is None else f"; lowest on {_name(lowest)}, {_with_interval(lowest)}"
    return (
        f"On a {printable(found['column'])} never seen: {_with_interval(found['unseen'])} right, "
        f"against {_with_interval(found['known'])} on known ones{falls}."
    )


def _pool(found: Mapping[str, Any]) -> str:
    images, groups = found["images"], found["groups"]
    several = ""
    if mixed := found.get("of_several_classes"):
        several = (
            f" {mixed:,} of these hold photos of several species, for which one answer is never "
            "right: pool by what shows one animal or one kind, such as a burst or a track."
        )
    return (
        f"Photo by photo {_with_interval(images)} of {images['n']:,} right; pooled by "
        f"{printable(found['column'])} {_with_interval(groups)} of {groups['n']:,}.{several}"
    )


def _taxonomy(found: Mapping[str, Any]) -> str:
    ranks = ", ".join(f"{row['rank']} {_with_interval(row)}" for row in found["ranks"])
    return (
        f"Right at each rank: {ranks}. Answers rolled up to {percent(found['floor'], 0)}% are "
        f"right for {_with_interval(found, 'precision')} and keep "
        f"{percent(found['information'], 0)}% of what the species would tell."
    )


def _name(row: Mapping[str, Any]) -> str:
    return shortened(printable(str(row["value"])) or "(none)", 32)


def values_table(found: Mapping[str, Any]) -> Table:
    """List the values of a column: images, accuracy and macro recall with intervals."""
    columns = ["photos", "groups", "right %", "95%", "average over species %", "95%"]
    rows = [
        [
            _name(row),
            f"{row['n']:,}",
            "" if row["n_groups"] is None else f"{row['n_groups']:,}",
            *_with_ends(row, "accuracy"),
            *_with_ends(row, "macro_recall"),
        ]
        for row in found["rows"]
    ]
    return [found["column"], *columns], rows


def field_tables(found: Mapping[str, Any]) -> dict[str, Table]:
    """Return the tables below the sentences, by section."""
    tables = {key: values_table(found[key]) for key in ("by", "leave_out") if key in found}
    if scores := found.get("unknown", {}).get("scores"):
        rows = [
            [name, *_with_ends(one, "auroc"), *_with_ends(one, "caught"), percent(one["sent_back"])]
            for name, one in scores.items()
        ]
        columns = ["score", "AUROC", "95%", "caught %", "95%", "known sent back %"]
        tables["unknown"] = columns, rows
    if "sets" in found:
        rows = [
            [
                shortened(printable(row["class"]), 32),
                f"{row['n']:,}",
                *_with_ends(row, "coverage"),
                f"{row['mean_size']:.1f}",
            ]
            for row in found["sets"]["by_class"]
        ]
        columns = ["species", "photos", "truth in the set %", "95%", "species in a set"]
        tables["sets"] = columns, rows
    if "taxonomy" in found:
        mistakes = found["taxonomy"]["mistakes"].items()
        tables["taxonomy"] = ["mistakes", "photos"], [[name, f"{n:,}"] for name, n in mistakes]
    return tables


def _with_ends(score: Mapping[str, Any], name: str) -> list[str]:
    return [percent(score[name]), interval(score[f"{name}_ci95"])]


def field_parts(
    found: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return title, sentence, figure and table of each question with a result, by section.

    `found` is the content of `field.json`, `figures` has the names of the figures on the page.
    """
    tables, parts = field_tables(found), {}
    for key, sentence in field_sentences(found).items():
        (columns, rows), figure = tables.get(key, ([], [])), _FIGURES.get(key)
        parts[key] = {
            "key": key,
            "open": key in ("by", "leave_out"),
            "title": _TITLES[key],
            "sentence": sentence,
            "figure": figure if figure in figures else None,
            "columns": columns,
            "rows": rows[:_ROWS],
            "more": max(0, len(rows) - _ROWS),
        }
    return {home: [parts[key] for key in keys if key in parts] for home, keys in _HOME.items()}
