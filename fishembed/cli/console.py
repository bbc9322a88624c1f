"""Console output: sentences and progress for people, or one JSON document for programs."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType

from fishembed._base.paths import shown
from fishembed.cli.output import (
    command_line,
    log_line,
    output,
    print_document,
    width_of,
    wrapped,
    write_text,
)
from fishembed.cli.progress_bar import ProgressBar
from fishembed.cli.terminal_tables import aligned, fitted

__all__ = ["NOTHING_WRITTEN", "Console", "aligned", "command_line"]


NOTHING_WRITTEN = "nothing was written; the same command starts again"
"""What Ctrl-C leaves of a verb that writes all or nothing."""


class Console:
    """Print a verb's output.

    With `as_json` one document goes to standard output and sentences to standard error;
    without, sentences go to standard output. Progress goes to standard error, and only to
    a terminal. With ``--quiet`` only warnings and answers are printed, with ``--verbose`` details
    too; ``--log-file`` gets every line.

    Parameters
    ----------
    as_json
        Whether the result is printed as JSON.
    working
        What a verb does that takes more than a moment: shown on a terminal while nothing is
        counted.
    interrupted
        What is kept and how to go on, for when Ctrl-C ends the verb and nothing says more.
    """

    def __init__(
        self,
        *,
        as_json: bool,
        working: str = "",
        interrupted: str = "the same command starts again",
    ) -> None:
        self.as_json = as_json
        self._bar = ProgressBar()
        self._interrupted = interrupted
        self._work = working

    def __enter__(self) -> Console:  # noqa: PYI034 - Self needs Python 3.11
        if self._work:
            self.update(0, 0, self._work)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._work = ""
        self._bar.end()
        if isinstance(error, KeyboardInterrupt):
            output().interrupted = str(error) or self._interrupted

    def message(self, text: str) -> None:
        """Print one line on what is done, or a warning; ``--quiet`` leaves only warnings."""
        self._line(text, printed=not output().quiet or text.startswith("warning"))

    def detail(self, text: str) -> None:
        """Print one technical line, with ``--verbose`` only."""
        self._line(text, printed=output().verbose)

    def answer(self, text: str) -> None:
        """Print one line of what was asked for, also with ``--quiet``."""
        self._line(text, printed=True)

    def table(
        self,
        columns: Sequence[str],
        rows: Sequence[Sequence[str]],
        *,
        left: int = 1,
        spare: Sequence[str] = (),
        indent: int = 0,
        answer: bool = False,
    ) -> None:
        """Print a table that fits the terminal.

        Parameters
        ----------
        columns, rows
            Its cells; the first `left` columns are aligned left, the others right.
        left
            See `columns`.
        spare
            Columns that are left out, in this order, while the table is too wide.
        indent
            Blanks before each line.
        answer
            Whether it is what was asked for.
        """
        width = width_of(sys.stderr if self.as_json else sys.stdout)
        room = max(1, width - indent) if width else 0
        for line in fitted(columns, rows, left=left, spare=spare, width=room):
            self._line(" " * indent + line, printed=answer or not output().quiet)

    def result(self, text: str) -> None:
        """Print what was asked for, as it is, to standard output."""
        self._bar.end()
        output().documents += 1
        write_text(sys.stdout, shown(text))

    @property
    def width(self) -> int:
        """Width of lines of standard output; 0 without a limit."""
        return width_of(sys.stdout)

    def lines(self, text: str) -> None:
        """Print lines that were asked for to standard output, cut where a terminal ends."""
        width = self.width
        cut = (
            f"{one[: width - 1]}…" if width and len(one) > width else one
            for one in text.split("\n")
        )
        self.result("\n".join(cut))

    def document(self, content: dict[str, object]) -> None:
        """Print the result as JSON; nothing without `as_json`."""
        if self.as_json:
            print_document(content)

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Show how much of a task is done, on a terminal; a total of 0 is one not known."""
        if sys.stderr.isatty() and not output().quiet:
            self._bar.update(done, total, task)
            if total and done >= total and self._work:
                self._bar.update(0, 0, self._work)

    def _line(self, text: str, *, printed: bool) -> None:
        log_line(text)
        if not printed:
            return
        self._bar.end()
        stream = sys.stderr if self.as_json else sys.stdout
        write_text(stream, wrapped(shown(text), width_of(stream)) + "\n")
        if self._work:
            self.update(0, 0, self._work)
