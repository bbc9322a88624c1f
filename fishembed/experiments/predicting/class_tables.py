"""Tables of classes: where they occur, how common they are, their taxa, also from GBIF."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.csv_files import CsvTable, write_csv
from fishembed._base.missing import text_or_missing
from fishembed._base.text import listed
from fishembed.errors import DataError, MissingExtraError, RemoteError
from fishembed.evaluation.taxonomy import Taxonomy

RANKS = (
    *("subspecies", "species", "subgenus", "genus", "subtribe", "tribe", "subfamily", "family"),
    *("superfamily", "infraorder", "suborder", "order", "superorder", "subclass"),
    *("taxonomic_class", "class", "superclass", "subphylum", "phylum", "kingdom", "domain"),
)
"""Ranks from narrow to broad. Where a table has none of them, its columns are the ranks."""

_CLASS_COLUMNS = ("class", "label", "species", "name")
_SHARE_COLUMNS = ("share", "prior", "probability", "frequency", "count", "n", "images")
RANK_COLUMNS = ("genus", "family", "order", "taxonomic_class", "phylum", "kingdom")
_GBIF_RANKS = ("genus", "family", "order", "class", "phylum", "kingdom")
_BINOMIAL = re.compile(r"([A-Z][a-z-]+)[ _]+(?:[a-z][a-z-]+|spp?\.?)\b")

Lookup = Callable[[str], Mapping[str, Any]]


@dataclass(frozen=True)
class ClassLists:
    """Which classes can be there, everywhere or by the value of a column.

    `column` is "" for one list that holds everywhere; `lists` are names of classes by value.
    """

    column: str
    lists: Mapping[str, frozenset[str]]

    def allowed(self, values: Sequence[str], names: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Return which of the classes can be at each row, bool (n, n_classes).

        Where there is no list for a value, every class can be.
        """
        rows = {
            value: np.array([name in classes for name in names])
            for value, classes in self.lists.items()
        }
        every = np.ones(len(names), bool)
        return np.array([rows.get(value, every) for value in values]).reshape(-1, len(names))

    def not_among(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the listed classes that are not among `names`."""
        return tuple(sorted(set().union(*self.lists.values()) - set(names)))


def read_class_lists(path: Path) -> ClassLists:
    """Read a list of classes: a column class, and where it differs by site a column of that name.

    Raises
    ------
    InputError
        When it names no class, or has more columns than those.
    """
    rows, columns, named = _rows(path)
    others = [column for column in columns if column != named]
    if len(others) > 1:
        raise DataError(
            f"{str(path)!r} has the columns {', '.join(columns)}: give the class, and at most one "
            "column that says where it can be, such as site"
        )
    column = others[0] if others else ""
    lists: dict[str, set[str]] = {}
    for row in rows:
        if row[named]:
            lists.setdefault(row[column] if column else "", set()).add(row[named])
    if not lists:
        raise DataError(f"{str(path)!r} lists no class")
    return ClassLists(column, {value: frozenset(of) for value, of in lists.items()})


def read_prior(path: Path, names: Sequence[str]) -> tuple[npt.NDArray[np.float64], list[str]]:
    """Read how common classes are: a column class and one of shares or counts.

    Returns
    -------
    shares, missing
        float64 (n_classes,) in the order of `names`, and the classes that the table lacks: they
        share equally what the others leave of 1, or count as half an image each.

    Raises
    ------
    InputError
        When a number is missing or negative, or nothing is left.
    """
    rows, columns, named = _rows(path)
    column = next((c for c in columns if c.lower() in _SHARE_COLUMNS), None)
    column = column or next((c for c in columns if c != named), None)
    if column is None:
        raise DataError(f"{str(path)!r} has no column of shares or counts beside {named!r}")
    found: dict[str, float] = {}
    for row in rows:
        try:
            value = float(row[column])
        except ValueError:
            value = -1.0
        if not value >= 0 or not np.isfinite(value):
            raise DataError(f"{str(path)!r}: {row[named]!r} has {row[column]!r} as {column}")
        found[row[named]] = found.get(row[named], 0.0) + value
    values = np.array([found.get(name, 0.0) for name in names])
    missing = [name for name in names if name not in found]
    total = sum(found.values())
    if not values.sum() > 0:
        raise DataError(f"{str(path)!r} has no share for any class of the head")
    absent = [name not in found for name in names]
    if missing:
        values[absent] = max(0.0, 1 - total) / len(missing) if total <= 1 + 1e-6 else 0.5
    return values / values.sum(), missing


def read_taxonomy(path: Path, names: Sequence[str]) -> tuple[Taxonomy, list[str]]:
    """Read the taxa of classes: a column of their names, and one for each rank above.

    Columns that are no ranks, such as common names, are ignored.

    Returns
    -------
    taxonomy, missing
        For `names`, and those that the table lacks, which are taxa of their own.

    Raises
    ------
    InputError
        When there is no column of a rank, or no class of the head in it.
    """
    rows, columns, named = _rows(path, names)
    lower = {c.lower(): c for c in columns if c != named and any(row[c] for row in rows)}
    ranks = [lower[r] for r in RANKS if r in lower] or list(lower.values())
    if not ranks:
        raise DataError(f"{str(path)!r} has no column of a rank, such as genus or family")
    by_class = {row[named]: row for row in rows}
    missing = [name for name in names if name not in by_class]
    if len(missing) == len(names):
        raise DataError(
            f"{str(path)!r} names none of the head's classes, such as {listed(list(names[:3]))}"
        )
    parents = tuple(
        tuple(by_class[name][rank] if name in by_class else "" for name in names) for rank in ranks
    )
    return Taxonomy(tuple(names), tuple(r.lower() for r in ranks), parents), missing


def _rows(path: Path, names: Sequence[str] = ()) -> tuple[list[dict[str, str]], list[str], str]:
    """Return the lines, the columns, and the column of class names: that with most `names`."""
    table = CsvTable(path)
    if not table.columns:
        raise DataError(f"{str(path)!r} is empty")
    lines = [row for _, row in table]
    lower = {column.lower(): column for column in table.columns}
    candidates = [lower[c] for c in _CLASS_COLUMNS if c in lower]
    if not candidates and len(table.columns) == 1:  # a bare list, whose first line is a class
        first = table.columns[0]
        cells = [first, *(row[first] for row in lines)]
        return [{"class": cell.strip()} for cell in cells if cell.strip()], ["class"], "class"
    if not candidates:
        raise DataError(f"{str(path)!r} has no column class: {', '.join(table.columns)}")
    known = set(names)
    named = max(candidates, key=lambda c: sum(row[c].strip() in known for row in lines))
    rows = [{c: text_or_missing(row[c]).strip() for c in row} for row in lines]
    return [row for row in rows if row[named]], table.columns, named


def fill_taxonomy(
    names: Sequence[str], *, offline: bool = False, lookup: Lookup | None = None
) -> tuple[list[list[str]], list[str]]:
    """Return a row of taxa for each class, and the names for which nothing was found.

    Parameters
    ----------
    names
        Names of the classes, scientific ones where taxa are to be found.
    offline
        Fill in the genus only, from names of two words such as Lutjanus kasmira.
    lookup
        Finds a name in GBIF's backbone, as pygbif's `name_backbone` does; pygbif when left out.

    Returns
    -------
    rows, missing
        A row is the class and a cell for each of `RANK_COLUMNS`, "" where it is not known.

    Raises
    ------
    MissingExtraError
        When pygbif is not installed.
    FishembedError
        When GBIF cannot be reached.

    Examples
    --------
    >>> fill_taxonomy(["Lutjanus kasmira"], offline=True)[0][0][:2]
    ['Lutjanus kasmira', 'Lutjanus']
    """
    find = None if offline else lookup or _pygbif()
    rows, missing = [], []
    for name in names:
        found = {} if find is None else _found(find, name)
        if not found.get("genus") and (match := _BINOMIAL.match(name)):
            found["genus"] = match[1]
        rows.append([name, *(found.get(rank, "") for rank in _GBIF_RANKS)])
        if not any(rows[-1][1:]):
            missing.append(name)
    return rows, missing


def write_taxonomy(path: Path, rows: Sequence[Sequence[str]]) -> None:
    """Write the rows of `fill_taxonomy` as a table for ``--taxonomy``."""
    write_csv(path, ["class", *RANK_COLUMNS], rows)


def read_class_names(path: Path) -> list[str]:
    """Read names of classes: a CSV with a column class or label, or one name a line.

    Raises
    ------
    InputError
        When there is none.
    """
    table = CsvTable(path)
    lower = {column.lower(): column for column in table.columns}
    column = next((lower[c] for c in ("class", "label", "species") if c in lower), None)
    first = table.columns[:1] if column is None else []  # a bare list, whose first line is a class
    cells = [*first, *(row[column or first[0]] for _, row in table)]
    names = list(dict.fromkeys(cell.strip() for cell in cells if cell.strip()))
    if not names:
        raise DataError(f"{str(path)!r} names no class")
    return names


def _pygbif() -> Lookup:
    try:
        from pygbif import species
    except ImportError as error:
        raise MissingExtraError("looking taxa up in GBIF", "pygbif", "taxonomy") from error
    return lambda name: dict(species.name_backbone(scientificName=name))


def _found(find: Lookup, name: str) -> dict[str, str]:
    try:
        answer = find(name.replace("_", " "))
    except Exception as error:
        raise RemoteError(
            f"GBIF cannot be reached ({error}): --offline takes the genus from the names"
        ) from error
    if answer.get("diagnostics", {}).get("matchType", answer.get("matchType")) == "NONE":
        return {}
    levels = answer.get("classification") or []
    found = {str(one.get("rank", "")).lower(): str(one.get("name", "")) for one in levels}
    return found or {rank: str(answer.get(rank) or "") for rank in _GBIF_RANKS}
