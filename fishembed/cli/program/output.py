"""Output of one call to the terminal, a pipe and a log file; layout of lines and tables."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sys
import textwrap
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from fishembed._base.paths import Place, shown, without_secrets
from fishembed._base.text import printable, shortened


@dataclass
class Output:
    """Settings of the output of one call of the program.

    Attributes
    ----------
    as_json
        Whether standard output is for one JSON document.
    verbose, quiet
        Whether technical lines are printed too; whether only warnings and what was asked for.
    documents
        How many documents were printed.
    log
        Log file that receives every line, with its time.
    interrupted
        Message where Ctrl-C ended the call: what is stored and how to go on.
    verb, given
        The verb that runs, and the values of its parameters.
    """

    as_json: bool = False
    verbose: bool = False
    quiet: bool = False
    documents: int = 0
    log: TextIO | None = None
    interrupted: str = ""
    verb: str = ""
    given: Mapping[str, Any] = field(default_factory=dict)


_OUTPUT = Output()


def output() -> Output:
    """Return the settings of this call."""
    return _OUTPUT


def start_output(words: Sequence[str] = ()) -> None:
    """Begin the output of one call of the program; `words` are its command line."""
    global _OUTPUT  # noqa: PLW0603 - one program writes to one terminal
    before = list(words[: list(words).index("--")] if "--" in words else words)
    _OUTPUT = Output(as_json="--json" in before)


def set_output(*, verbose: bool, quiet: bool, log_file: Path | None) -> None:
    """Set the options that every verb has; where set twice, both count."""
    _OUTPUT.verbose |= verbose
    _OUTPUT.quiet |= quiet
    if log_file is not None and _OUTPUT.log is None:
        from fishembed._version import __version__

        log_file.parent.mkdir(parents=True, exist_ok=True)
        _OUTPUT.log = log_file.open("a", encoding="utf-8", errors="backslashreplace")
        log_line(f"{command_line()} (fishembed {__version__})")


def end_output() -> None:
    """Close the log file."""
    if _OUTPUT.log is not None:
        _OUTPUT.log.close()
        _OUTPUT.log = None


def log_line(text: str) -> None:
    """Write lines into the log file, where there is one."""
    if _OUTPUT.log is not None:
        now = time.strftime("%Y-%m-%dT%H:%M:%S")
        for line in shown(text).split("\n"):
            _OUTPUT.log.write(f"{now} {printable(line)}\n")
        _OUTPUT.log.flush()


def write_text(stream: TextIO, text: str) -> None:
    """Write text to a stream as it is, or to a terminal without control characters."""
    # A file's name may hold what no terminal or pipe can encode.
    if stream.isatty():  # names must not control a terminal; files hold them as they are
        text = "\n".join(map(printable, text.split("\n")))
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def error_line(text: str) -> None:
    """Print a line to standard error, without control characters."""
    log_line(text)
    text = "\n".join(map(printable, wrapped(text, width_of(sys.stderr)).split("\n")))
    sys.stderr.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def error_document(kind: str, code: int, name: str, text: str) -> None:
    """Print an error as the one JSON document of a call with ``--json``.

    Nothing is printed where the call has its document already, such as 'fishembed info --verify',
    whose document names the damage.
    """
    if _OUTPUT.as_json and not _OUTPUT.documents:
        print_document({"error": {"kind": kind, "code": code, "type": name, "message": text}})


def print_document(content: dict[str, object]) -> None:
    """Print a JSON document to standard output."""
    _OUTPUT.documents += 1
    sys.stdout.write(json.dumps(without_secrets(content), allow_nan=False) + "\n")
    sys.stdout.flush()


def width_of(stream: TextIO) -> int:
    """Return how wide lines may be: COLUMNS, else the terminal's width; 0 without a limit.

    A pipe or a file receives whole lines, so that programs can search them.
    """
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns) > 0:
        return int(columns)
    return shutil.get_terminal_size().columns if stream.isatty() else 0


def wrapped(text: str, width: int) -> str:
    """Return sentences broken between words at a width; further lines are indented by two.

    Examples
    --------
    >>> print(wrapped("store: cache/fish.h5 (the newest in cache)", 24))
    store: cache/fish.h5
      (the newest in cache)
    """
    if not width:
        return text
    lines = []
    for line in text.split("\n"):
        if len(line) <= width:
            lines.append(line)
            continue
        indent = " " * (len(line) - len(line.lstrip()) + 2)
        lines += textwrap.wrap(
            line,
            width,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return "\n".join(lines)


def command_line() -> str:
    """Return the command line that repeats this call."""
    return shlex.join(["fishembed", *map(Place, sys.argv[1:])])


_SHORTEST = 12
"""Letters that are left of a cell whose column is cut."""


def aligned(columns: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> list[str]:
    """Return a table as lines, the first `left` columns aligned left and the others right."""
    from rich.cells import cell_len  # letters of some scripts are two cells wide

    table = [columns, *rows]
    widths = [max(cell_len(row[i]) for row in table) for i in range(len(columns))]
    lines = []
    for row in table:
        gaps = [" " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True)]
        cells = [
            cell + gap if i < left else gap + cell
            for i, (cell, gap) in enumerate(zip(row, gaps, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def fitted(
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    left: int = 1,
    spare: Sequence[str] = (),
    width: int = 0,
) -> list[str]:
    r"""Return a table as lines of at most `width` cells, as far as that can be.

    While it is too wide, the columns of `spare` are left out one by one; then the cells of the
    `left` first columns are cut in their middle, the widest first.

    Examples
    --------
    >>> rows = [["Plectroglyphidodon dickii", "91.0", "3 s"]]
    >>> print(*fitted(["class", "%", "time"], rows, spare=["time"], width=24), sep="\n")
    class                  %
    Plectrogl…n dickii  91.0
    """
    from rich.cells import cell_len

    table = [list(columns), *map(list, rows)]
    unneeded = list(spare)
    while width:
        widths = [max(map(cell_len, cells)) for cells in zip(*table, strict=True)]
        over = sum(widths) + 2 * (len(widths) - 1) - width
        if over <= 0:
            break
        if unneeded:
            name = unneeded.pop(0)
            if name in table[0]:
                at = table[0].index(name)
                table = [row[:at] + row[at + 1 :] for row in table]
                left -= at < left
            continue
        at = max(range(left), key=widths.__getitem__, default=-1)
        if at < 0 or widths[at] <= _SHORTEST:
            break
        room = max(_SHORTEST, widths[at] - over, *(w for w in widths[:left] if w < widths[at]))
        for row in table:
            row[at] = shortened(row[at], room)
    return aligned(table[0], table[1:], left=left)
