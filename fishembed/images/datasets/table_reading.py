"""Read tables and JSON documents on images: rows, columns, and values as text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Container, Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fishembed._base.csv_files import CsvTable, Row
from fishembed._base.missing import is_missing, text_or_missing
from fishembed._base.paths import is_remote
from fishembed._base.remote_files import remote_errors
from fishembed.errors import ImageError, ManifestError, MissingExtraError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

FILE_COLUMNS = (
    *("file_name", "filename", "file", "image", "image_path", "filepath", "image_id", "id"),
    *("Path", "Image", "ID", "Id"),
)
LABEL_COLUMNS = (
    *("label", "species", "class", "scientific_name", "scientificName", "category", "Label"),
    *("Class", "Species"),
)
"""Names that tables have for a manifest's path and label."""

LABEL_KEYS = ("label", "class", "class_name", "cls")
"""Names that JSON documents have for a label."""

SPREADSHEETS = frozenset({".xlsx", ".xlsm"})
PARQUET = frozenset({".parquet", ".pq"})
_PARQUET_START = b"PAR1"


class Table(NamedTuple):
    """A table whose first row names the columns."""

    columns: list[str]
    rows: list[Row]
    """The number of each row in its file, and its cells by column."""
    bad_rows: Sequence[tuple[int, str]] = ()
    """(number, reason) of rows that were left out."""
    remarks: Sequence[str] = ()
    """Sentences on what was guessed and left out."""


def first_of(names: Iterable[str], present: Container[str]) -> str | None:
    """Return the first of some names of columns that is there."""
    return next((name for name in names if name in present), None)


def read_table(path: AnyPath, always: Container[str]) -> Table:
    """Read a CSV, a Parquet file or an Excel workbook, by its content.

    Columns of Parquet that hold lists, structures or bytes are read where they are in `always`.
    """
    if path.suffix.lower() in SPREADSHEETS:
        return _read_spreadsheet(path)
    if _is_parquet(path):
        return _read_parquet(path, always)
    table = CsvTable(path, ManifestError, skip_bad_rows=True)
    rows = list(table)
    return Table(table.columns, rows, table.bad_rows, table.remarks())


def text_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV as text that a store can hold, "" for every spelling of missing."""
    for _, row in CsvTable(path, ManifestError, skip_bad_rows=True):
        yield {name: cell_text(cell).strip() for name, cell in row.items() if name}


def _read_spreadsheet(path: AnyPath) -> Table:
    """Read the first sheet of a workbook of Excel, but its blank rows.

    Formulas have the values that were computed when the workbook was saved.
    """
    try:
        from openpyxl import load_workbook
    except ImportError as error:
        raise MissingExtraError("an .xlsx table", "openpyxl", "excel") from error
    try:
        with remote_errors(path), path.open("rb") as file:
            book = load_workbook(io.BytesIO(file.read()), read_only=True, data_only=True)
        first, others = book.worksheets[0], book.worksheets[1:]
        cells = [list(map(_plain_text, row)) for row in first.iter_rows(values_only=True)]
    except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
        raise ManifestError(f"cannot read {str(path)!r} as .xlsx: {error}") from error
    columns = [text_or_missing(name) for name in cells[0]] if cells else []
    rows = [
        (number, dict(zip_longest(columns, row[: len(columns)], fillvalue="")))
        for number, row in enumerate(cells[1:], start=2)
        if any(row)
    ]
    titles = ", ".join(sheet.title for sheet in others)
    more = f"{path.name} has more sheets ({titles}): the first one is read"
    return Table(columns, rows, remarks=[more] if others else [])


def _read_parquet(path: AnyPath, always: Container[str]) -> Table:
    """Read the columns of a Parquet file that hold cells."""
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet manifest", "pyarrow", "parquet") from error
    try:
        with remote_errors(path), path.open("rb") as file:
            columns = [
                field.name
                for field in parquet.read_schema(file)
                if field.name in always or not _is_odd(pa.types, field.type)
            ]
            table = parquet.read_table(file, columns=columns)
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(f"cannot read {str(path)!r} as Parquet: {error}") from error
    cells = zip(*(table[name].to_pylist() for name in table.column_names), strict=True)
    rows = [
        (number, dict(zip(table.column_names, map(_plain_text, row), strict=True)))
        for number, row in enumerate(cells, start=1)
    ]
    return Table(columns, rows)


def _is_odd(types: Any, kind: Any) -> bool:
    """Return whether a type is a list, a structure or bytes, which are no cells of a table."""
    return bool(types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _plain_text(cell: object) -> str:
    """Return text as it is, blanks included: it may be a path."""
    return cell if isinstance(cell, str) else text_or_missing(cell)


def _is_parquet(path: AnyPath) -> bool:
    if path.suffix.lower() in PARQUET:
        return True
    try:
        if not is_remote(path) and not path.is_file():
            return False
        with remote_errors(path), path.open("rb") as file:
            return bytes(file.read(len(_PARQUET_START))) == _PARQUET_START
    except OSError:
        return False  # reading it as text raises the reason


def cell_text(value: object) -> str:
    """Return a value as text that a store can hold: no zero bytes, no halves of characters."""
    text = text_or_missing(value)
    if not unusable_text(text):
        return text
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode()


def unusable_text(text: str) -> str:
    """Return the reason why a store cannot hold a label or group, or ""."""
    if "\0" in text:
        return f"{text[:60]!r} holds a zero byte"
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return f"{text[:60]!r} holds half a character (a lone surrogate)"
    return ""


def facts_in(document: object) -> dict[str, str]:
    """Return label, split and group of a JSON document, those it has.

    Raises
    ------
    ImageError
        When one of them is no single value.
    """
    if not isinstance(document, dict):
        return {}
    label = next((key for key in LABEL_KEYS if not is_missing(document.get(key))), "label")
    keys = {"label": label, "split": "split", "group": "group"}
    found = {fact: _single_value(key, document.get(key)) for fact, key in keys.items()}
    return {fact: text for fact, text in found.items() if text}


def metadata_in(
    document: object, without: Container[str] = (*LABEL_KEYS, "split", "group")
) -> dict[str, str]:
    """Return the other values of a JSON document, without lists and objects."""
    if not isinstance(document, dict):
        return {}
    return {
        cell_text(name): cell_text(value)
        for name, value in document.items()
        if name not in without and not isinstance(value, (list, dict))
    }


def _single_value(key: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and (names := {"name", "label", "class"} & set(value)):
        value = value[min(names)] if len(names) == 1 else value["name"]
    if isinstance(value, (list, dict)):
        raise ImageError(f"its {key!r} is no single value but {str(value)[:60]}")
    return text_or_missing(value)
