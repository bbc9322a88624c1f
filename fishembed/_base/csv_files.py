r"""CSV tables: read in every dialect that people have, also with odd quotes, written in one.

A cell of text that a spreadsheet would read as a formula (one that begins with ``=``, ``+``,
``-``, ``@`` or a tab, also behind blanks, and is no plain number) is written with a ``'`` in front
of it, as one would type it there. `CsvTable` removes that sign, so that every text comes back as
it was.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

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
        Separated by commas, semicolons, tabs or ``|``, whichever fits most lines, or as
        declared by a first line ``sep=;``; UTF-8, UTF-16 or Windows-1252; with quotes, without
        or with lone ones.
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
        """Return sentences on guesses, filled cells and skipped rows so far."""
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
    # and a record of quoted cells cannot be mistaken for lines with lone quotes.
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
    """Put a ' before a text that a spreadsheet would read as a formula.

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


DELIMITERS = ",;\t|"
_SEP_LINE = re.compile(r'"?sep=(\\t|.)"?[;,\t|]*(?:\r\n|\n|\r|$)', re.IGNORECASE)
_LINE_END = re.compile(r"\r\n|\n|\r")
_ESCAPED = re.compile(r'(?:[^"\\\r\n]|\\[^\r\n])*"')
_LINES_TRIED = 50

Record = tuple[int, list[str]]
"""The number of a record's last line in the table, and its cells."""


def read_sep_line(text: str) -> tuple[str, int]:
    """Return the delimiter that Excel's first line ``sep=;`` names, and that line's length."""
    match = _SEP_LINE.match(text)
    if not match:
        return "", 0
    return ("\t" if match[1] == r"\t" else match[1]), match.end()


def guess_delimiter(text: str) -> str:
    r"""Return the delimiter by which most lines have as many cells as the first one.

    Examples
    --------
    >>> guess_delimiter("class;name\ncod;Atlantic cod, grey")
    ';'
    """

    def fit(delimiter: str) -> tuple[bool, float, int]:
        lengths = [len(cells) for _, cells in islice(records(text, delimiter), _LINES_TRIED)]
        first = lengths[0] if lengths else 0
        return first > 1, lengths.count(first) / max(1, len(lengths)), first

    best = max(DELIMITERS, key=fit)
    return best if fit(best)[0] else DELIMITERS[0]


def records(text: str, delimiter: str) -> Iterator[Record]:
    r"""Yield the records of a table; empty lines are left out.

    A quote at the start of a cell encloses it where another one ends it; a doubled one (or \"
    where a program wrote that) stands for itself. A lone quote is a sign like others: it never
    swallows lines that are records of their own.

    Examples
    --------
    >>> list(records('a\tb\n"x\t1\ny"\t2', "\t"))
    [(1, ['a', 'b']), (2, ['"x', '1']), (3, ['y"', '2'])]
    """
    at, line, width = 0, 0, 0
    while at < len(text):
        stop, after = _line_end(text, at)
        line += 1
        if stop > at:
            cells = text[at:stop].split(delimiter)
            if text.find('"', at, stop) >= 0:
                found = _quoted(text, at, len(text), delimiter)
                if not _encloses(found, text, at, delimiter, width):
                    found = _quoted(text, at, stop, delimiter)
                if found.all_quoted or width in (0, len(found.cells)) or len(cells) != width:
                    cells = found.cells
                    line += len(_LINE_END.findall(text, at, found.stop))
                    after = _line_end(text, found.stop)[1]
            width = width or len(cells)
            yield line, cells
        at = after


class _Quoted(NamedTuple):
    """A record read by the rules of quotes, and where it ends."""

    cells: list[str]
    stop: int
    all_quoted: bool


def _quoted(text: str, at: int, limit: int, delimiter: str) -> _Quoted:
    cells: list[str] = []
    quoted = 0
    while True:
        start = at + (0 if delimiter == "\t" else _blanks(text, at, limit))
        end, escape = -1, ""
        if text[start : start + 1] == '"':
            end, escape = _closing(text, start + 1, limit, delimiter)
        if end >= 0:
            cells.append(text[start + 1 : end].replace(escape, '"'))
            at = end + 1 + _blanks(text, end + 1, limit)
            quoted += 1
        else:
            line = min(_line_end(text, at)[0], limit)
            end = text.find(delimiter, at, line)
            end = line if end < 0 else end
            cells.append(text[at:end])
            at = end
        if at >= limit or text[at] != delimiter:
            return _Quoted(cells, at, quoted == len(cells))
        at += 1


def _closing(text: str, at: int, limit: int, delimiter: str) -> tuple[int, str]:
    r"""Return where the quote is that ends a cell, and how quotes inside are written.

    It is at -1 where the quote before `at` is a lone one. R writes a quote inside as \", and
    the rules have it doubled.
    """
    start = at
    while (at := text.find('"', at, limit)) >= 0:
        if text[at + 1 : min(at + 2, limit)] != '"':
            if _ends_cell(text, at + 1, limit, delimiter):
                return at, '""'
            break
        at += 2
    escaped = _ESCAPED.match(text, start, limit)
    if escaped and r"\"" in escaped[0] and _ends_cell(text, escaped.end(), limit, delimiter):
        return escaped.end() - 1, r"\""
    return -1, ""


def _ends_cell(text: str, at: int, limit: int, delimiter: str) -> bool:
    at += _blanks(text, at, limit)
    return at >= limit or text[at] in (delimiter, "\r", "\n")


def _encloses(found: _Quoted, text: str, at: int, delimiter: str, width: int) -> bool:
    """Return whether the quotes of a record are such, and no signs that swallow lines.

    Where every line of it is a whole record by itself, they are not: in tables with tabs, which
    are often written without quotes; in others, where no cell could hold such lines by chance.
    """
    lines = _LINE_END.split(text[at : found.stop])
    if len(lines) == 1 or found.all_quoted or not width:
        return True
    if not all(len(line.split(delimiter)) == width for line in lines):
        return True
    by_chance = width == 2 or '""' in text[at : found.stop] or _LINE_END.search(found.cells[-1])
    return delimiter != "\t" and bool(by_chance)


def _blanks(text: str, at: int, limit: int) -> int:
    end = at
    while end < limit and text[end] == " ":
        end += 1
    return end - at


def _line_end(text: str, at: int) -> tuple[int, int]:
    """Return where a line ends, and where the next one starts."""
    match = _LINE_END.search(text, at)
    return match.span() if match else (len(text), len(text))
