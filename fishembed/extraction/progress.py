"""How an extraction tells what it is doing, whoever listens."""

from __future__ import annotations

from typing import Protocol


class Reporter(Protocol):
    """Somebody who wants to know."""

    def note(self, text: str) -> None:
        """Hear one sentence on what was chosen or noticed."""
        ...

    def advance(self, done: int, total: int, task: str = "encoding") -> None:
        """Hear how many pictures of a long task are done."""
        ...


class Silent:
    """Nobody listens."""

    def note(self, text: str) -> None:
        """Do nothing."""

    def advance(self, done: int, total: int, task: str = "encoding") -> None:
        """Do nothing."""
