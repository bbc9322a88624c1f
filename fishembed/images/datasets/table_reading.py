"""Tables and JSON documents that say what images are: their rows, columns, and facts as text."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Container, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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
"""What tables call a manifest's path and label."""

LABEL_KEYS = ("label", "class", "class_name", "cls")
"""What JSON documents call a label."""

SPREADSHEETS = frozenset({".xlsx", ".xlsm"})
PARQUET = frozenset({".parquet", ".pq"})
_PARQUET_START = b"PAR1"


class Table(Protocol):
    """A table whose first row names the columns, read row by row; see `CsvTable`."""

    columns: list[str]
    bad_rows: list[tuple[int, str]]

    def __iter__(self) -> Iterator[Row]: ...

    def remarks(self) -> list[str]:
        """Return sentences on what was guessed and left out."""
        ...


def first_of(names: Iterable[str], present: Container[str]) -> str | None:
    """Return the first of some names of columns that is there."""
    return next((name for name in names if name in present), None)


def open_table(path: AnyPath, always: Container[str]) -> Table:
    """Open a CSV, a Parquet file or an Excel workbook, by its content.

    Columns of Parquet that hold lists, structures or bytes are read where they are in `always`.
    """
    if path.suffix.lower() in SPREADSHEETS:
        return _SpreadsheetTable(path)
    if _is_parquet(path):
        return _ParquetTable(path, always)
    return CsvTable(path, ManifestError, skip_bad_rows=True)


def text_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a CSV as text that a store can hold, "" for every spelling of missing."""
    for _, row in CsvTable(path, ManifestError, skip_bad_rows=True):
        yield {name: cell_text(cell).strip() for name, cell in row.items() if name}


class _SpreadsheetTable:
    """The first sheet of a workbook of Excel, read with openpyxl; see `Table`.

    Formulas have the values that were computed when the workbook was saved.
    """

    def __init__(self, path: AnyPath) -> None:
        try:
            from openpyxl import load_workbook
        except ImportError as error:
            raise MissingExtraError("an .xlsx table", "openpyxl", "excel") from error
        try:
            with remote_errors(path), path.open("rb") as file:
                book = load_workbook(io.BytesIO(file.read()), read_only=True, data_only=True)
            self._rows = [list(row) for row in book.worksheets[0].iter_rows(values_only=True)]
        except (OSError, ValueError, KeyError, IndexError, zipfile.BadZipFile) as error:
            raise ManifestError(f"cannot read {str(path)!r} as .xlsx: {error}") from error
        self._others = [sheet.title for sheet in book.worksheets[1:]]
        self._name = path.name
        self.columns = [text_or_missing(cell) for cell in self._rows[0]] if self._rows else []
        self.bad_rows: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[Row]:
        """Yield each row's number in the sheet, and its cells by column; blank rows are skipped."""
        for number, row in enumerate(self._rows[1:], start=2):
            cells = [_plain_text(cell) for cell in row]
            if any(cells):
                padded = [*cells, *[""] * len(self.columns)]
                yield number, dict(zip(self.columns, padded, strict=False))

    def remarks(self) -> list[str]:
        """Return that only the first sheet is read, where there are more."""
        if not self._others:
            return []
        return [f"{self._name} has more sheets ({', '.join(self._others)}): the first one is read"]


class _ParquetTable:
    """The columns of a Parquet file that hold cells; see `Table`."""

    def __init__(self, path: AnyPath, always: Container[str]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("a Parquet manifest", "pyarrow", "parquet") from error
        try:
            with remote_errors(path), path.open("rb") as file:
                self.columns = [
                    field.name
                    for field in parquet.read_schema(file)
                    if field.name in always or not _is_odd(pa.types, field.type)
                ]
                self._table = parquet.read_table(file, columns=self.columns)
        except (OSError, pa.ArrowException) as error:
            raise ManifestError(f"cannot read {str(path)!r} as Parquet: {error}") from error
        self.bad_rows: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[Row]:
        names = self._table.column_names
        columns = [self._table[name].to_pylist() for name in names]
        for line, cells in enumerate(zip(*columns, strict=True), start=1):
            yield line, dict(zip(names, map(_plain_text, cells), strict=True))

    def remarks(self) -> list[str]:
        return []


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
        return False  # reading it as text says why


def cell_text(value: object) -> str:
    """Return a value as a store can hold it: without zero bytes and halves of characters."""
    text = text_or_missing(value)
    if not unusable_text(text):
        return text
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode()


def unusable_text(text: str) -> str:
    """Return why a store cannot hold a label or group, or ""."""
    if "\0" in text:
        return f"{text[:60]!r} holds a zero byte"
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return f"{text[:60]!r} holds half a character (a lone surrogate)"
    return ""


def facts_in(document: object) -> dict[str, str]:
    """Return label, split and group of a JSON document, where it says them.

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
    """Return what a JSON document says besides; lists and objects are no cells of a column."""
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
