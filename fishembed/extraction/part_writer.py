"""The stage that makes finished vectors safe on disk while others are being made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.cache import Parts

Bundle = Mapping[str, npt.NDArray[np.float32]]
"""float32 (n, …) by the dataset's name in a store: image vectors, perhaps the trunk's."""

Batches = list[tuple[list[str], Bundle]]
"""Digests and vectors of batches that are finished."""

Written = tuple[Path, list[str]]
"""A part, and the digests that are in it."""

_MOST_WAITING = 2


def joined(bundles: Sequence[Bundle]) -> Bundle:
    """Give the vectors of some batches, at least one, as those of one batch."""
    return {name: np.concatenate([bundle[name] for bundle in bundles]) for name in bundles[0]}


class PartWriter:
    """Writes parts in a thread, a few of them waiting at most.

    An error is raised by the next call. What could not be written is not forgotten: the
    next call tries it again, so that a disk that has been cleared loses nothing.

    Parameters
    ----------
    parts
        Where they go.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[Future[Path], Batches]] = deque()
        self._failed: Batches = []
        self._done: list[Written] = []
        self.seconds = 0.0

    def add(self, batches: Batches) -> list[Written]:
        """Take batches for the next part; give the parts that have been written by now."""
        batches, self._failed = self._failed + batches, []
        if any(digests for digests, _ in batches):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
            self._waiting.append((self._pool.submit(self._write, batches), batches))
        return self._written(_MOST_WAITING)

    def wait(self) -> list[Written]:
        """Wait until all is written, end the thread, and give those parts."""
        try:
            return self._written(0)
        finally:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None

    def _write(self, batches: Batches) -> Path:
        began = time.perf_counter()
        digests = [digest for some, _ in batches for digest in some]
        part = self._parts.add(digests, joined([bundle for _, bundle in batches]))
        self.seconds += time.perf_counter() - began
        return part

    def _written(self, may_wait: int) -> list[Written]:
        written, error = self._done, None
        self._done = []
        while self._waiting and (len(self._waiting) > may_wait or self._waiting[0][0].done()):
            promise, batches = self._waiting.popleft()
            try:
                part = promise.result()
            except Exception as failure:  # raised below, when all that ended is accounted for
                self._failed += batches
                error = error or failure
            else:
                written.append((part, [digest for some, _ in batches for digest in some]))
        if error is not None:
            self._done = written
            raise error
        return written
