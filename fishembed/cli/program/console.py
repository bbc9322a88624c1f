"""Console output: sentences and progress for people, or one JSON document for programs."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from threading import RLock, Timer
from types import TracebackType
from typing import TYPE_CHECKING

from fishembed._base.paths import shown
from fishembed.cli.program.output import (
    fitted,
    log_line,
    output,
    print_document,
    width_of,
    wrapped,
    write_text,
)

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

NOTHING_WRITTEN = "nothing was written; the same command starts again"
"""Message where Ctrl-C ends a verb that writes all or nothing."""


class Console:
    """Print a verb's output.

    With `as_json` one document goes to standard output and sentences to standard error;
    without, sentences go to standard output. Progress goes to standard error, and only to
    a terminal. With ``--quiet`` only warnings and results are printed, with ``--verbose`` details
    too; ``--log-file`` receives every line.

    Parameters
    ----------
    as_json
        Whether the result is printed as JSON.
    working
        The task of a verb that is not done at once: shown on a terminal while nothing is counted.
    interrupted
        Message where Ctrl-C ends the verb: what is stored and how to go on; that of the interrupt
        itself comes first.
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
            Whether the table is the result asked for, also printed with ``--quiet``.
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
        """Show how much of a task is done, on a terminal; a total of 0 is unknown."""
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


_MOMENT = 0.5
"""Seconds within which a task may end without a bar."""
_IMAGES = "encoding"
"""The task whose speed is of interest."""


class ProgressBar:
    """Show one task at a time on standard error, and clear it at its end.

    The speed is that of the images since the first were done: what was loaded before does not
    count.
    """

    def __init__(self) -> None:
        self._name = ""
        self._since = 0.0
        self._total: int | None = None
        self._bar: Progress | None = None
        self._task: TaskID | None = None
        self._timer: Timer | None = None
        self._lock = RLock()

    def update(self, done: int, total: int, task: str) -> None:
        """Show how much is done; a total of 0 is unknown, and shows after a moment."""
        with self._lock:
            if task != self._name:
                self.end()
                self._name, self._since = task, time.monotonic()
            self._total = total or None
            if self._bar is None and total and time.monotonic() - self._since >= _MOMENT:
                self._start()
            elif self._bar is None and self._timer is None and not total:
                self._timer = Timer(_MOMENT, self._start)
                self._timer.daemon = True
                self._timer.start()
            if self._bar is not None and self._task is not None:
                self._bar.update(self._task, completed=done, total=self._total)
            if total and done >= total:
                self.end()

    def end(self) -> None:
        """Clear the bar from the terminal."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if self._bar is not None:
                self._bar.stop()
            self._bar, self._task, self._timer, self._name = None, None, None, ""

    def _start(self) -> None:
        with self._lock:
            if self._name and self._bar is None:
                self._bar = _make_bar(speed=self._name == _IMAGES)
                self._task = self._bar.add_task(self._name, total=self._total)
                self._bar.start()


def _make_bar(*, speed: bool) -> Progress:
    from rich import console, progress
    from rich.text import Text

    class Speed(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            return f"{task.finished_speed or task.speed or 0:,.0f} images/s"

    class Count(progress.ProgressColumn):
        def render(self, task: progress.Task) -> str:
            return "" if task.total is None else f"{task.completed:,.0f} of {task.total:,.0f}"

    class Remaining(progress.TimeRemainingColumn):
        def render(self, task: progress.Task) -> Text:
            return Text("") if task.total is None else super().render(task)

    return progress.Progress(
        progress.TextColumn("{task.description}"),
        progress.BarColumn(bar_width=16),
        Count(),
        *([Speed()] if speed else []),
        progress.TimeElapsedColumn(),
        Remaining(),
        console=console.Console(stderr=True),
        transient=True,
    )
