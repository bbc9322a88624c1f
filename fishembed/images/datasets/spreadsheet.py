"""Tables of Excel, read with openpyxl where that is installed."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import TYPE_CHECKING

from fishembed._base.missing import text_or_missing
from fishembed._base.remote_files import remote_errors
from fishembed.errors import ManifestError, MissingExtraError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

SPREADSHEETS = frozenset({".xlsx", ".xlsm"})


class SpreadsheetTable:
    """The first sheet of a workbook, whose first row names the columns; see `CsvTable`.

    Formulas give the values that were computed when the workbook was saved.

    Parameters
    ----------
    path
        The workbook.

    Raises
    ------
    ManifestError
        When it cannot be read.
    MissingExtraError
        When openpyxl is not installed.
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

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row's number in the sheet, and its cells by column; blank rows are skipped."""
        for number, row in enumerate(self._rows[1:], start=2):
            cells = [cell if isinstance(cell, str) else text_or_missing(cell) for cell in row]
            if any(cells):
                padded = [*cells, *[""] * len(self.columns)]
                yield number, dict(zip(self.columns, padded, strict=False))

    def remarks(self) -> list[str]:
        """Return what had to be decided: only the first sheet is read."""
        if not self._others:
            return []
        return [f"{self._name} has more sheets ({', '.join(self._others)}): the first one is read"]
