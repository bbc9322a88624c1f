r"""CSV tables: read in every dialect that people have, written in one.

A cell of text that a spreadsheet would take for a formula (one that begins with ``=``, ``+``,
``-``, ``@`` or a tab, also behind blanks, and is no plain number) is written with a ``'`` in front
of it, as one would type it there. `CsvTable` takes that sign off again, so that every text comes
back as it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.csv_records import guess_delimiter, read_sep_line, records
from fishembed._base.files import write_bytes
from fishembed._base.text import counted
from fishembed._base.text_files import read_text
from fishembed.errors import FishembedError, InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

Row = tuple[int, dict[str, str]]

_FORMULA = re.compile(r"'*(?:[\s\0]*[=+\-@＝＋－＠]|[\t\r\n])")  # noqa: RUF001 - as they are in Asia
_NUMBER = re.compile(r"'*[+-]?(\d+([.,]\d*)?|[.,]\d+)([eE][+-]?\d+)?")
_NO_TEXT = re.compile(r"[\ud800-\udc7f\udd00-\udfff]")


class CsvTable:
    """A table whose first line names the columns.

    Parameters
    ----------
    path
        Separated by commas, semicolons, tabs or ``|``, whichever fits most lines, or as a
        first line ``sep=;`` says; UTF-8, UTF-16 or Windows-1252; with quotes, without or with
        lone ones.
    error
        What is raised where the file is missing, unreadable or no text, or a row unusable.
    delimiter
        The only separator that is expected; any of those when left out.
    utf8_only
        Whether it is UTF-8 that this program wrote, with bytes that are none in the names of
        files: they become surrogates, as in paths.
    skip_bad_rows
        Whether a row that has more cells than there are columns is left out and listed in
        `bad_rows`; else it is an error.

    Attributes
    ----------
    columns
        Names of the columns, without blanks around them; empty for an empty file.
    bad_rows
        (line, reason) of the rows that were left out so far.
    short_rows
        Lines of the rows so far that have fewer cells than there are columns.
    """

    def __init__(
        self,
        path: AnyPath,
        error: type[FishembedError] = InputError,
        *,
        delimiter: str | None = None,
        utf8_only: bool = False,
        skip_bad_rows: bool = False,
    ) -> None:
        self.path, self._error, self._skips = path, error, skip_bad_rows
        self.bad_rows: list[tuple[int, str]] = []
        self.short_rows: list[int] = []
        text, self._encoding_note = read_text(path, error, utf8_only=utf8_only)
        named, start = ("", 0) if delimiter else read_sep_line(text)
        self._first_line = 1 if start else 0
        text = text[start:]
        self._delimiter = delimiter or named or guess_delimiter(text)
        self._records = records(text, self._delimiter)
        _, names = next(self._records, (0, []))
        self.columns = [unguarded(name).strip() for name in names]

    def __iter__(self) -> Iterator[Row]:
        """Yield each row's last line in the file, and its cells by column; "" where it has none."""
        width = len(self.columns)
        for at, cells in self._records:
            line = at + self._first_line
            if any(cells[width:]):
                self._leave_out(line)
                continue
            if len(cells) < width:
                self.short_rows.append(line)
            row = [unguarded(cell) for cell in cells[:width]] + [""] * (width - len(cells))
            yield line, dict(zip(self.columns, row, strict=True))

    def remarks(self) -> list[str]:
        """Return sentences on what was guessed, filled up and left out in the rows read so far."""
        found = [self._encoding_note] if self._encoding_note else []
        if short := self.short_rows:
            n = counted(len(short), "row has", "rows have")
            found.append(
                f"{n} fewer cells than there are columns, the first in line {short[0]}; "
                "what they lack is empty"
            )
        if bad := self.bad_rows:
            found.append(f"{counted(len(bad), 'row')} left out, the first: {bad[0][1]}")
        return [f"{str(self.path)!r}: {remark}" for remark in found]

    def _leave_out(self, line: int) -> None:
        reason = (
            f"row {line} has more cells than there are columns ({len(self.columns)}): "
            f"put quotes around a value that holds {self._delimiter!r}"
        )
        if not self._skips:
            raise self._error(f"{str(self.path)!r}: {reason}")
        self.bad_rows.append((line, reason))


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return a table as CSV with commas and \n; None is an empty cell.

    Every text comes back from `CsvTable` as it was, and none is a formula to a spreadsheet.
    """
    out = io.StringIO(newline="")
    plain = csv.writer(out, lineterminator="\n")
    # A row with line ends is quoted whole: the csv module would not quote carriage returns,
    # and a record of quoted cells cannot be taken for lines with lone quotes.
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (columns, *rows):
        cells = [guarded(cell) if isinstance(cell, str) else cell for cell in row]
        several = any(isinstance(cell, str) and ("\n" in cell or "\r" in cell) for cell in cells)
        (quoted if several else plain).writerow(cells)
    return out.getvalue()


def csv_bytes(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> bytes:
    """Return a table as UTF-8; with a byte order mark where it holds more than ASCII.

    Spreadsheets show other letters wrong without that mark. Bytes in the names of files that
    are no UTF-8 stay as they are.
    """
    text = csv_text(columns, rows)
    if not text.isascii():
        text = "\ufeff" + _NO_TEXT.sub(lambda sign: f"\\u{ord(sign[0]):04x}", text)
    return text.encode("utf-8", "surrogateescape")


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, whole; see `csv_bytes`."""
    write_bytes(path, csv_bytes(columns, rows))


def guarded(text: str) -> str:
    """Put a ' before a text that a spreadsheet would take for a formula.

    Examples
    --------
    >>> guarded("=1+1"), guarded("-20.5"), guarded("cod")
    ("'=1+1", '-20.5', 'cod')
    """
    return f"'{text}" if _is_formula(text) else text


def unguarded(text: str) -> str:
    """Remove the ' that `guarded` put before a text.

    Examples
    --------
    >>> unguarded("'=1+1"), unguarded("'tHart")
    ('=1+1', "'tHart")
    """
    return text[1:] if text[:1] == "'" and _is_formula(text) else text


def _is_formula(text: str) -> bool:
    return bool(_FORMULA.match(text)) and not _NUMBER.fullmatch(text)
