"""Predictions as the table that a person opens in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from fishembed._base.files import atomic_file
from fishembed._base.text import printable
from fishembed.errors import MissingExtraError
from fishembed.evaluation.taxonomy import ROOT
from fishembed.experiments.predicting.prediction import Prediction, Predictions

PEOPLE_COLUMNS = ("file", "species", "sure %", "second guess", "look at it?", "problem")

UNKNOWN = "none of these"
"""What an image is called that is like none of the classes."""

UNDECIDED = "undecided"
"""What an image is called where no taxon at any rank is sure enough."""

SURE = 0.8
"""Probability below which a person should look at an image."""

MARGIN = 0.2
"""Least distance from the second guess."""


class PeopleRow(NamedTuple):
    """One image, as a person reads it."""

    file: str
    species: str
    sure: float | None
    second: str
    look: str
    problem: str


def people_rows(predictions: Predictions) -> Iterator[PeopleRow]:
    """Yield a row for each image, those that could not be read at the end with their problem."""
    for one in predictions.predictions:
        sure = round(100 * sureness(one), 1)
        yield PeopleRow(one.path, species(one), sure, second_guess(one), look_at_it(one), "")
    for path, reason in predictions.skipped:
        yield PeopleRow(path, "", None, "", "yes", reason)


def species(one: Prediction) -> str:
    """Return what an image is called: `UNKNOWN`, its taxon, or its most probable class.

    `UNDECIDED` where taxa were asked for and only all of them together are sure enough.
    """
    if one.unknown:
        return UNKNOWN
    if one.taxon is None:
        return one.classes[0]
    rank, name, _ = one.taxon
    return UNDECIDED if rank == ROOT else name


def is_higher_taxon(one: Prediction) -> bool:
    """Return whether an image is called by a taxon above its most probable class."""
    return species(one) not in (UNKNOWN, UNDECIDED, one.classes[0])


def sureness(one: Prediction) -> float:
    """Return the probability of what an image is called; of its first class where that is none."""
    if one.taxon is None or not is_higher_taxon(one):
        return one.probabilities[0]
    return one.taxon[2]


def second_guess(one: Prediction) -> str:
    """Return what an image may be besides: its first class where it is not called so."""
    if species(one) != one.classes[0]:
        return one.classes[0]
    return one.classes[1] if len(one.classes) > 1 else ""


def doubt(one: Prediction) -> tuple[bool, bool, float]:
    """Return what sorts predictions by doubt: like no class, to be looked at, how unsure."""
    return one.unknown, bool(look_at_it(one)), 1 - one.probabilities[0]


def look_at_it(one: Prediction) -> str:
    """Return "yes" where a person should look at an image, else ""."""
    second = one.probabilities[1] if len(one.probabilities) > 1 else 0.0
    unsure = one.probabilities[0] < SURE or one.probabilities[0] - second < MARGIN
    return "yes" if unsure or species(one) in (UNKNOWN, UNDECIDED) else ""


def write_excel(columns: Sequence[str], rows: Sequence[Sequence[object]], output: Path) -> None:
    """Write a table as a workbook with one sheet: the head stays in sight, columns are filtered.

    Raises
    ------
    MissingExtraError
        When openpyxl is not installed.
    """
    try:
        import openpyxl
        from openpyxl.styles import Font
        from openpyxl.utils import get_column_letter
    except ImportError as error:
        raise MissingExtraError("an Excel file", "openpyxl", "excel") from error
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "predictions"
    for number, row in enumerate([columns, *rows], 1):
        for at, value in enumerate(row, 1):
            cell = sheet.cell(number, at)
            _fill(cell, value)
    for cell in sheet[1]:
        cell.font = Font(bold=True)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    for at, name in enumerate(columns, 1):
        longest = max([len(name), *(len(str(row[at - 1] or "")) for row in rows[:200])])
        sheet.column_dimensions[get_column_letter(at)].width = min(60, longest + 3)
    with atomic_file(output) as temporary:
        book.save(temporary)


def _fill(cell: Any, value: object) -> None:
    if isinstance(value, str):
        cell.value = printable(value)
        cell.data_type = "s"  # a name that begins with = is no formula
    else:
        cell.value = value
