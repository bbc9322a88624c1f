"""The section of a page that answers the field's questions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fishembed.reports.field_sentences import field_sentences, field_tables

_TITLES = {
    "unknown": "Is it none of these?",
    "sets": "Which classes can it be?",
    "by": "Does it work everywhere?",
    "leave_out": "Does it work where it has not been?",
    "pool": "Does a burst help?",
    "taxonomy": "Is it at least the right genus?",
    "problem": "What could not be answered",
}
_FIGURES = {"unknown": "risk_coverage", "by": "by", "leave_out": "leave_out"}
_ROWS = 40


def field_section(found: Mapping[str, Any], figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return question, sentence, figure and table of everything that was answered.

    Parameters
    ----------
    found
        What `field.json` holds.
    figures
        Names of the figures on the page.
    """
    tables = field_tables(found)
    return [
        {
            "title": _TITLES[key],
            "sentence": sentence,
            "figure": _FIGURES.get(key) if _FIGURES.get(key) in figures else None,
            "columns": tables[key][0] if key in tables else [],
            "rows": tables[key][1][:_ROWS] if key in tables else [],
            "more": max(0, len(tables[key][1]) - _ROWS) if key in tables else 0,
        }
        for key, sentence in field_sentences(found).items()
    ]
