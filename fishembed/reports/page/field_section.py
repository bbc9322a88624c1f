"""The parts of a page that answer the field's questions, in the sections they belong to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fishembed.reports.field_sentences import field_sentences, field_tables

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
    "sure": ("unknown", "sets"),
    "places": ("by", "leave_out", "pool"),
}
"""Section of the page that a question stands in: where a reader looks for it."""

_OPEN = ("by", "leave_out")


def field_parts(
    found: Mapping[str, Any], figures: Mapping[str, Any]
) -> dict[str, list[dict[str, Any]]]:
    """Return question, sentence, figure and table of everything that was answered, by section.

    Parameters
    ----------
    found
        What `field.json` holds.
    figures
        Names of the figures on the page.
    """
    tables = field_tables(found)
    parts = {
        key: {
            "key": key,
            "open": key in _OPEN,
            "title": _TITLES[key],
            "sentence": sentence,
            "figure": _FIGURES.get(key) if _FIGURES.get(key) in figures else None,
            "columns": tables[key][0] if key in tables else [],
            "rows": tables[key][1][:_ROWS] if key in tables else [],
            "more": max(0, len(tables[key][1]) - _ROWS) if key in tables else 0,
        }
        for key, sentence in field_sentences(found).items()
    }
    return {home: [parts[key] for key in keys if key in parts] for home, keys in _HOME.items()}
