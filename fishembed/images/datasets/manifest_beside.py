"""A manifest that lies in the folder of its images."""

from __future__ import annotations

import shlex
from pathlib import Path

from fishembed._base.csv_files import CsvTable
from fishembed._base.text import counted
from fishembed.errors import FishembedError
from fishembed.images.datasets.folder_tables import FILE_COLUMNS, LABEL_COLUMNS
from fishembed.images.datasets.layout import Layout, describe
from fishembed.images.datasets.listing import Listing
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest

_MOST_TABLES = 20
_TEXT_TABLES = frozenset({".csv", ".tsv", ".txt"})
_OTHER_NAMES = {"path": FILE_COLUMNS, "label": LABEL_COLUMNS}
"""What tables call the two columns that a manifest must have."""


def manifest_beside(root: Path, listing: Listing) -> tuple[Layout | None, list[str]]:
    """Return what the only manifest in a folder says of the images, or None; and notes.

    It must have the columns path and label or split, and name at least half of the images.
    """
    images, found, notes = set(listing.images), [], []
    tables = [t for t in listing.tables if "/" not in t and Path(t).suffix in MANIFEST_SUFFIXES]
    for table in tables[:_MOST_TABLES]:
        try:
            if Path(table).suffix in _TEXT_TABLES:
                columns = set(CsvTable(root / table).columns)
                if "path" not in columns or not columns & {"label", "split"}:
                    if len(columns) > 1 and columns & {*FILE_COLUMNS, *LABEL_COLUMNS}:
                        notes.append(_unused(root / table, columns))
                    continue
            samples = read_manifest(root / table).samples
        except FishembedError as error:
            if "path" in str(error):
                notes.append(_not_used(root / table, "it cannot be read as a manifest"))
            continue
        if 2 * len(images & {sample.path for sample in samples}) >= len(images):
            found.append((table, samples))
        else:
            notes.append(_not_used(root / table, "it does not name these images"))
    if len(found) != 1:
        return None, notes + [_not_used(root / table, "it is one of several") for table, _ in found]
    ((table, samples),) = found
    named = {sample.path for sample in samples}
    left = tuple((path, f"not in {table}") for path in listing.images if path not in named)
    notes.append(
        f"{table}, found beside the images, says what they are; move it away to have the folders "
        "read as classes"
    )
    if left:
        notes.append(f"{counted(len(left), 'image')} not in {table}, the first: {left[0][0]!r}")
    description = f"manifest {table} beside the images: {describe(samples, 'classes')}"
    return Layout(description, samples, (), left, table), notes


def _unused(table: Path, columns: set[str]) -> str:
    """Return what to type to use a table whose columns are called otherwise."""
    options = ""
    for name, others in _OTHER_NAMES.items():
        close = next((one for one in others if one in columns), None)
        if name == "label" and close is None and len(columns) == 2:
            close = next((one for one in columns if one not in FILE_COLUMNS), None)
        if name not in columns and close is not None:
            options += f" --{name}-column {shlex.quote(close)}"
    return _not_used(table, "it has no columns path and label", options)


def _not_used(table: Path, why: str, options: str = "") -> str:
    command = f"fishembed extract {shlex.quote(str(table))}{options}"
    return f"{table.name} is not used: {why}. To use it as a manifest: {command}"
