"""Readers: threads of this process, or processes of their own, that turn files into pixels.

Processes share no lock with the encoder and with one another, and a decoder that crashes ends
one of them, not the run. They are forked, already warm, by a server process that this one starts
(Linux); elsewhere, and for a few files, threads read.
"""

from __future__ import annotations

import math
import os
from collections import deque
from collections.abc import Collection, Generator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from types import TracebackType
from typing import Protocol

import numpy as np

from fishembed.extraction.reading.image_ring import ImageRing, Segment
from fishembed.extraction.reading.read_block import BlockResult, File, ImageTransform, read_block
from fishembed.images import quiet_decoding

ENOUGH_FOR_PROCESSES = 512
"""Files from which on processes of their own pay."""

_FEW_CORES, _ENOUGH_ON_FEW_CORES = 4, 4096
"""With few cores, their start takes the time of several hundred images."""

_FIRST_BLOCK, _LARGEST_BLOCK = 4, 64
_BLOCK_SECONDS = 0.05
"""Work in a block: little enough that none waits long for the last, much enough to hand over."""

_MOST_ROWS = 32.0
"""Rows of the ring for a file, on average: 5 MB with a crop of 224 pixels."""

_AHEAD = 2
"""BlockQueue that a reader has at hand, so that it never waits for the next."""


@dataclass(frozen=True)
class ImageBlock:
    """A block of files that has been read.

    Attributes
    ----------
    start
        Number of its first file.
    result
        What came of each file.
    segment
        Where the pixels are in the ring; whoever takes the block releases it.
    """

    start: int
    result: BlockResult
    segment: Segment


class BlockReader(Protocol):
    """Reads blocks, several at the same time, each in the thread that calls."""

    messages: list[str]

    def __call__(self, files: Sequence[File], segment: Segment) -> BlockResult:
        """Read files into the rows of a segment; see `fishembed.extraction.reading.read_block`."""
        ...


class ThreadReader:
    """Reads blocks in the calling thread.

    Parameters
    ----------
    ring
        Gets the pixels.
    known, transform
        See `fishembed.extraction.reading.read_block`.
    """

    def __init__(self, ring: ImageRing, known: Collection[str], transform: ImageTransform) -> None:
        self.messages: list[str] = []
        self._ring, self._known, self._transform = ring, known, transform

    def __call__(self, files: Sequence[File], segment: Segment) -> BlockResult:
        """Read files into the rows of a segment."""
        out = self._ring.memory[segment.start : segment.start + segment.rows]
        return read_block(files, self._known, self._transform, out)


class FileReaders:
    """Reads files in blocks, several at the same time, and yields the blocks in order.

    Parameters
    ----------
    reader
        Reads one block.
    ring
        Where the pixels go.
    workers
        BlockQueue that are read at the same time.
    """

    def __init__(self, reader: BlockReader, ring: ImageRing, workers: int) -> None:
        self._reader, self._ring, self._workers = reader, ring, workers
        self._stack = ExitStack()
        self._size = _FIRST_BLOCK
        self._rows_each = 1.0

    def __enter__(self) -> FileReaders:  # noqa: PYI034 - Self needs Python 3.11
        self._stack.enter_context(quiet_decoding())
        self._pool = ThreadPoolExecutor(self._workers, thread_name_prefix="read")
        self._stack.callback(self._pool.shutdown, wait=True, cancel_futures=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()

    def read(self, files: Sequence[File]) -> Generator[ImageBlock, None, None]:
        """Yield every block of files, in order, as soon as it is read.

        Whoever takes a block calls `ring.release(block.segment)` when it needs it no more;
        until enough are released, nothing more is read.
        """
        begun: deque[tuple[int, Segment, Future[BlockResult]]] = deque()
        at = 0
        while at < len(files) or begun:
            while at < len(files) and len(begun) < _AHEAD * self._workers:
                some = self._block(files, at)
                segment = self._ring.take(math.ceil(len(some) * self._rows_each))
                if segment is None:
                    break
                begun.append((at, segment, self._pool.submit(self._reader, some, segment)))
                at += len(some)
            if begun:
                start, segment, promise = begun.popleft()
                result = promise.result()
                self._measure(result)
                yield ImageBlock(start, result, segment)
            else:
                self._ring.wait(1.0)

    def _block(self, files: Sequence[File], at: int) -> Sequence[File]:
        """Return the next files; what is read together, such as frames of a video, in one."""
        left = len(files) - at
        whole = getattr(files[at], "together", None)
        if whole is None:
            return files[at : at + self._block_size(left)]
        some = files[at : at + min(left, _LARGEST_BLOCK, self._room())]
        return [*takewhile(lambda one: getattr(one, "together", None) == whole, some)]

    def _room(self) -> int:
        return max(1, int(len(self._ring) // (4 * _AHEAD * self._workers) / self._rows_each))

    def _block_size(self, left: int) -> int:
        """Return how many files the next block has; few near the end, so that all end together."""
        share = -(-left // (_AHEAD * self._workers))
        return max(1, min(self._size, share, self._room()))

    def _measure(self, result: BlockResult) -> None:
        """Learn from a block how many files take about `_BLOCK_SECONDS`, and rows they need."""
        seconds = (result.read_seconds + result.decode_seconds) / max(1, len(result.digests))
        wanted = int(_BLOCK_SECONDS / max(seconds, 1e-6))
        self._size = max(1, min(_LARGEST_BLOCK, 2 * self._size, wanted))
        if result.images:
            rows = result.rows_wanted / len(result.images)
            self._rows_each = min(_MOST_ROWS, max(1.0, 0.7 * self._rows_each + 0.3 * rows))


def use_processes(files: int) -> bool:
    """Return whether processes of their own shall read so many files."""
    enough = _ENOUGH_ON_FEW_CORES if cores() <= _FEW_CORES else ENOUGH_FOR_PROCESSES
    return hasattr(os, "memfd_create") and files >= enough


def cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1


def new_ring(rows: int, crop: int) -> ImageRing:
    """Return a ring in this process's own memory, for threads."""
    return ImageRing(np.empty((rows, crop, crop, 3), np.uint8))
