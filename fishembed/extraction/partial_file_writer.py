"""Write finished features to partial files, while others are being made."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import PartialFiles

FeatureArrays = Mapping[str, npt.NDArray[Any]]
"""(n, …) by name: float32 image features, perhaps the trunk's, and uint8 perceptual hashes."""

Batches = list[tuple[list[str], FeatureArrays]]
"""Digests and features of batches that are finished."""

Written = tuple[Path, list[str]]
"""A partial file, and the digests that are in it."""

_MOST_WAITING = 2


def joined(arrays: Sequence[FeatureArrays]) -> FeatureArrays:
    """Return the features of some batches, at least one, as those of one batch."""
    return {name: np.concatenate([one[name] for one in arrays]) for name in arrays[0]}


class PartialFileWriter:
    """Writes partial files in a thread, a few of them waiting at most.

    An error is raised by the next call. What could not be written is not forgotten: the
    next call tries it again, so that a disk that has been cleared loses nothing.

    Parameters
    ----------
    parts
        Where they go.
    """

    def __init__(self, parts: PartialFiles) -> None:
        self._parts = parts
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[Future[Path], Batches]] = deque()
        self._failed: Batches = []
        self._done: list[Written] = []
        self.seconds = 0.0

    def add(self, batches: Batches) -> list[Written]:
        """Add batches to the next partial file; return those that are written by now."""
        batches, self._failed = self._failed + batches, []
        if any(digests for digests, _ in batches):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
            self._waiting.append((self._pool.submit(self._write, batches), batches))
        return self._written(_MOST_WAITING)

    def wait(self) -> list[Written]:
        """Wait until all is written, end the thread, and return those files."""
        try:
            return self._written(0)
        finally:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None

    def _write(self, batches: Batches) -> Path:
        began = time.perf_counter()
        digests = [digest for some, _ in batches for digest in some]
        part = self._parts.write(digests, joined([features for _, features in batches]))
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
