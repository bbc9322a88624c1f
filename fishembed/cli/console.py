"""Console output: sentences and progress for people, or one JSON document for programs."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from fishembed._base.paths import Place, shown, without_secrets
from fishembed._base.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


class _Output:
    """What this call of the program prints, and how."""

    as_json = False
    documents = 0


_OUTPUT = _Output()


def start_output(words: Sequence[str]) -> None:
    """Begin the output of one call of the program with these words on its command line."""
    global _OUTPUT  # noqa: PLW0603 - one program writes to one terminal
    _OUTPUT = _Output()
    before = list(words[: words.index("--")] if "--" in words else words)
    _OUTPUT.as_json = "--json" in before


def error_line(text: str) -> None:
    """Print a line to standard error; names in it cannot steer a terminal."""
    text = "\n".join(map(printable, text.split("\n")))
    sys.stderr.write(text.encode("utf-8", "replace").decode("utf-8") + "\n")


def error_document(kind: str, code: int, name: str, text: str) -> None:
    """Print an error as the one JSON document of a call with ``--json``.

    Nothing is printed where the call has its document already, such as 'fishembed info --verify',
    whose document names the damage.
    """
    if _OUTPUT.as_json and not _OUTPUT.documents:
        _print_document({"error": {"kind": kind, "code": code, "type": name, "message": text}})


def _print_document(content: dict[str, object]) -> None:
    _OUTPUT.documents += 1
    sys.stdout.write(json.dumps(without_secrets(content), allow_nan=False) + "\n")
    sys.stdout.flush()


class Console:
    """Print a verb's output.

    With `as_json` one document goes to standard output and sentences to standard error;
    without, sentences go to standard output. Progress goes to standard error, and only to
    a terminal.

    Parameters
    ----------
    as_json
        Whether the result is printed as JSON.
    """

    def __init__(self, *, as_json: bool) -> None:
        self.as_json = as_json
        self._progress: Progress | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Console:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end_progress()

    def message(self, text: str) -> None:
        """Print one line."""
        self._end_progress()
        _write(sys.stderr if self.as_json else sys.stdout, shown(text) + "\n")

    def result(self, text: str) -> None:
        """Print what was asked for, as it is, to standard output."""
        self._end_progress()
        _OUTPUT.documents += 1
        _write(sys.stdout, shown(text))

    def document(self, content: dict[str, object]) -> None:
        """Print the result as JSON; nothing without `as_json`."""
        if self.as_json:
            _print_document(content)

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Show how many of `total` images are done, on a terminal."""
        if not sys.stderr.isatty():
            return
        if self._progress is None:
            self._progress = _progress_bar()
            self._task = self._progress.add_task(task, total=total)
            self._progress.start()
        if self._task is not None:
            self._progress.update(self._task, completed=done, total=total)
        if done >= total:
            self._end_progress()

    def _end_progress(self) -> None:
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _write(stream: TextIO, text: str) -> None:
    # A file's name may hold what no terminal or pipe can encode.
    if stream.isatty():  # names shall not steer a terminal; files get them as they are
        text = "\n".join(map(printable, text.split("\n")))
    encoding = stream.encoding or "utf-8"
    stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
    stream.flush()


def _progress_bar() -> Progress:
    from rich import console, progress

    class Speed(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            return f"{task.finished_speed or task.speed or 0:,.0f} images/s"

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        Speed(),
        progress.TimeRemainingColumn(),
        console=console.Console(stderr=True),
    )


def command_line() -> str:
    """Return the command line that repeats this call."""
    return shlex.join(["fishembed", *map(Place, sys.argv[1:])])


def aligned(columns: list[str], rows: list[list[str]], *, left: int = 1) -> list[str]:
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
