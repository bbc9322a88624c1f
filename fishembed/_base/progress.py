"""Progress and seconds of long tasks: receivers of messages and counts, durations of steps."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Receives messages and counts from a long task: a console, a notebook, a log."""

    def message(self, text: str) -> None:
        """Receive one sentence on a choice or a finding."""
        ...

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Receive how much of a task is done; a total of 0 is one not known."""
        ...


def report_detail(progress: Progress, text: str) -> None:
    """Report a technical line to a progress that accepts such lines by a method `detail`."""
    detail = getattr(progress, "detail", None)
    if detail is not None:
        detail(text)


_RECEIVERS: list[Progress] = []
"""Receivers for tasks without a parameter `progress`, such as an estimator's fit; last wins."""


@contextmanager
def progress_to(progress: Progress) -> Iterator[None]:
    """Have the tasks inside a ``with`` block that use `tracked` report to a progress."""
    _RECEIVERS.append(progress)
    try:
        yield
    finally:
        _RECEIVERS.remove(progress)


def tracked(results: Iterable[T], total: int, task: str) -> Iterator[T]:
    """Yield results, and report their number to the receiver set by `progress_to`.

    Examples
    --------
    >>> list(tracked([1, 2], 2, "counting"))
    [1, 2]
    """
    for done, result in enumerate(results, 1):
        if _RECEIVERS:
            _RECEIVERS[-1].update(done, total, task)
        yield result


class NoProgress:
    """Discards every message and count."""

    def message(self, text: str) -> None:
        """Discard a message."""

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Discard a count."""


class Stopwatch:
    """Measures the seconds of named steps.

    Attributes
    ----------
    seconds
        Wall-clock seconds by the step's name; a step that ran twice has the sum.

    Examples
    --------
    >>> watch = Stopwatch()
    >>> with watch.measure("load"):
    ...     pass
    >>> list(watch.seconds)
    ['load']
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def measure(self, step: str) -> Iterator[None]:
        """Add the seconds of a ``with`` block to a step."""
        started = time.perf_counter()
        try:
            yield
        finally:
            spent = time.perf_counter() - started
            self.seconds[step] = self.seconds.get(step, 0.0) + spent
