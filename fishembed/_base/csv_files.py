"""CSV tables: read in the dialects that spreadsheets write, written in one."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.bounded_reading import read_at_most
from fishembed._base.files import write_text
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_DELIMITERS = ",;\t"


class CsvTable:
    """A table whose first line names the columns.

    Parameters
    ----------
    path
        UTF-8 with or without a byte order mark; separated by commas, semicolons or tabs,
        whichever the first line has most of.
    error
        What is raised where the file cannot be used.
    delimiter
        The only separator that is expected; any of the three when left out.
    keep_invalid
        Whether bytes that are no UTF-8 are kept as surrogates, as in the names of files.

    Attributes
    ----------
    columns
        Names of the columns, without blanks around them; empty for an empty file.

    Raises
    ------
    FishembedError
        `error`, when the file is missing, unreadable or no UTF-8.
    """

    def __init__(
        self,
        path: AnyPath,
        error: type[FishembedError] = InputError,
        *,
        delimiter: str | None = None,
        keep_invalid: bool = False,
    ) -> None:
        self.path, self._error = path, error
        text = _read_text(path, error, "surrogateescape" if keep_invalid else "strict")
        first = text.lstrip().partition("\n")[0]
        self._delimiter = delimiter or max(_DELIMITERS, key=first.count)
        lines = io.StringIO(text, newline="")
        self._reader = csv.DictReader(lines, delimiter=self._delimiter, restval="")
        with self._csv_errors():
            self.columns = [name.strip() for name in self._reader.fieldnames or []]
        self._reader.fieldnames = self.columns

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        """Yield each row's last line in the file, and its cells by column; "" where it has none.

        Raises
        ------
        FishembedError
            `error`, when a row has more cells than there are columns, or is no CSV.
        """
        with self._csv_errors():
            for row in self._reader:
                if any(row.pop(None, ())):
                    raise self._error(
                        f"{str(self.path)!r}: row {self._reader.line_num} has more cells than "
                        f"there are columns ({len(self.columns)}): put quotes around a value "
                        f"that holds {self._delimiter!r}"
                    )
                yield self._reader.line_num, row

    @contextmanager
    def _csv_errors(self) -> Iterator[None]:
        try:
            yield
        except csv.Error as error:
            raise self._error(
                f"{str(self.path)!r}: row {self._reader.line_num}: {error}"
            ) from error


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    r"""Return a table as CSV with commas and \n; None is an empty cell.

    Every text comes back from `CsvTable` as it was, also one that holds a carriage return,
    which the csv module would not quote.
    """
    out = io.StringIO(newline="")
    plain = csv.writer(out, lineterminator="\n")
    quoted = csv.writer(out, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in (columns, *rows):
        returns = any(isinstance(cell, str) and "\r" in cell for cell in row)
        (quoted if returns else plain).writerow(row)
    return out.getvalue()


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Write a table as CSV, whole; see `csv_text`."""
    write_text(path, csv_text(columns, rows))


def _read_text(path: AnyPath, error: type[FishembedError], errors: str) -> str:
    try:
        with remote_errors(path):
            return read_at_most(path).decode("utf-8-sig", errors)
    except UnicodeDecodeError as reason:
        raise error(f"{str(path)!r} is not UTF-8 text: save it as UTF-8") from reason
    except OSError as reason:
        raise error(f"cannot read {str(path)!r}: {reason.strerror or reason}") from reason
