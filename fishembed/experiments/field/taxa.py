"""Fill a table of taxa for the names of classes, by GBIF or from the names alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fishembed._base.csv_files import CsvTable, write_csv
from fishembed.errors import DataError, MissingExtraError, RemoteError

RANK_COLUMNS = ("genus", "family", "order", "taxonomic_class", "phylum", "kingdom")
_GBIF_RANKS = ("genus", "family", "order", "class", "phylum", "kingdom")
_BINOMIAL = re.compile(r"([A-Z][a-z-]+)[ _]+(?:[a-z][a-z-]+|spp?\.?)\b")

Lookup = Callable[[str], Mapping[str, Any]]


def fill_taxonomy(
    names: Sequence[str], *, offline: bool = False, lookup: Lookup | None = None
) -> tuple[list[list[str]], list[str]]:
    """Return a row of taxa for each class.

    Parameters
    ----------
    names
        Names of the classes, scientific ones where taxa are to be found.
    offline
        Take no more than the genus, from names of two words such as Lutjanus kasmira.
    lookup
        Finds a name in GBIF's backbone, as pygbif's `name_backbone` does; pygbif when left out.

    Returns
    -------
    rows, missing
        Class and a cell for each of `RANK_COLUMNS`, "" where it is not known; and the names for
        which nothing was found.

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
    """Write rows of `fill_taxonomy` as the table that ``--taxonomy`` reads."""
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
    cells = [] if column or not table.columns else [table.columns[0]]
    column = column or (table.columns[0] if table.columns else "")
    cells += [row[column] for _, row in table]
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
