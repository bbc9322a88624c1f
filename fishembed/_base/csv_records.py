"""A table's text into records, also where quotes are missing, alone or written by no rule."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import NamedTuple

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
    are often written without quotes; elsewhere, where no cell could hold such lines by chance.
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
