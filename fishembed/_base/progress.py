"""How a long task reports what it is doing."""

from __future__ import annotations

from typing import Protocol


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


class NoProgress:
    """Discards every message and count."""

    def message(self, text: str) -> None:
        """Discard a sentence."""

    def update(self, done: int, total: int, task: str = "encoding") -> None:
        """Discard a count."""
