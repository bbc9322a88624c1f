"""Seconds of the steps of a task, by name."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


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
