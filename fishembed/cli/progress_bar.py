"""A progress bar on a terminal, for a task that takes more than a moment."""

from __future__ import annotations

import time
from threading import RLock, Timer
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

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
        """Show how much is done; a total of 0 is one not known, and shows after a moment."""
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
