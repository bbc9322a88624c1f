"""Progress of long tasks: who receives their messages and counts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Protocol, TypeVar

T = TypeVar("T")


class Progress(Protocol):
    """Receives messages and counts from a long task: a console, a notebook, a log."""

    def message(self, text: str) -> None:
        """Receive one sentence on what was chosen or noticed."""
        ...

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Receive how much of a task is done; a total of 0 is one not known."""
        ...


def report_detail(progress: Progress, text: str) -> None:
    """Report a technical line to a progress that takes such lines, which has a method `detail`."""
    detail = getattr(progress, "detail", None)
    if detail is not None:
        detail(text)


_RECEIVERS: list[Progress] = []
"""Receivers for tasks that know of no progress, such as the fit of an estimator; last wins."""


@contextmanager
def progress_to(progress: Progress) -> Iterator[None]:
    """Have the tasks inside a ``with`` block that use `tracked` report to a progress."""
    _RECEIVERS.append(progress)
    try:
        yield
    finally:
        _RECEIVERS.remove(progress)


def tracked(results: Iterable[T], total: int, task: str) -> Iterator[T]:
    """Yield results, and report how many there are to who asked for it by `progress_to`.

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
        """Discard a message, which nobody reads."""

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Discard a count, which nobody reads."""
