"""Readers: threads or processes that decode files to pixels, in one ring of memory.

Processes share no lock with the encoder or one another, and a decoder that crashes ends one of
them, not the run. A server process forks them with their modules imported (Linux only); on other
systems, and for few files, threads read.
"""

from __future__ import annotations

import math
import os
import threading
from collections import deque
from collections.abc import Collection, Generator, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import takewhile
from typing import Protocol

from fishembed._base.arrays import Pixels
from fishembed.extraction.read_block import BlockResult, File, ImageTransform, read_block

ENOUGH_FOR_PROCESSES = 512
"""Number of files from which on processes are faster than threads."""

_FEW_CORES, _ENOUGH_ON_FEW_CORES = 4, 4096
"""Number with few cores, where starting processes costs the time of several hundred images."""

_FIRST_BLOCK, _LARGEST_BLOCK = 4, 64
_BLOCK_SECONDS = 0.05
"""Work in a block: short, so that none waits long for the last; long against handing it over."""

_MOST_ROWS = 32.0
"""Most rows of the ring for a file, on average: 5 MB with a crop of 224 pixels."""

_AHEAD = 2
"""Blocks queued for each reader, so that it never waits for the next."""


@dataclass(eq=False)
class Segment:
    """Rows of the ring that a block of files occupies.

    `uses` counts their users: the block itself, and batches with images of it.
    """

    start: int
    rows: int
    uses: int = 1


class ImageRing:
    """Ring buffer of images, uint8 (rows, crop, crop, 3), whose rows are reserved and released.

    A reader writes a row, the encoder reads it in place, and it is reused. Segments are released
    in about the order of their reservation. The number of rows bounds the images in memory.
    """

    def __init__(self, memory: Pixels) -> None:
        self.memory = memory
        self._taken: deque[Segment] = deque()
        self._head = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self.memory)

    def take(self, rows: int) -> Segment | None:
        """Reserve and return `rows` adjacent rows; None where there is no room for them now."""
        with self._changed:
            start = self._place(rows)
            if start is None:
                return None
            segment = Segment(start, rows)
            self._taken.append(segment)
            self._head = start + rows
            return segment

    def _place(self, rows: int) -> int | None:
        if not self._taken:
            return 0 if rows <= len(self) else None
        tail = self._taken[0].start
        if self._head > tail:
            if self._head + rows <= len(self):
                return self._head
            return 0 if rows < tail else None
        return self._head if self._head + rows < tail else None

    def use(self, segment: Segment) -> None:
        """Add a user of a segment."""
        with self._changed:
            segment.uses += 1

    def release(self, segment: Segment) -> None:
        """Remove a user of a segment; without users its rows are free."""
        with self._changed:
            segment.uses -= 1
            while self._taken and not self._taken[0].uses:
                self._taken.popleft()
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until a segment is released, for at most `seconds`."""
        with self._changed:
            self._changed.wait(seconds)

    def images(self, rows: Sequence[int]) -> Pixels:
        """Return the images of some rows, copied only where the rows are not adjacent."""
        first, last = rows[0], rows[-1]
        if last - first + 1 == len(rows):  # rows of a batch never repeat, and rise but at the end
            return self.memory[first : last + 1]
        return self.memory[list(rows)]

    def file(self, row: int, length: int) -> Pixels:
        """Return the bytes of an undecoded file that begins at a row."""
        return self.memory[row:].reshape(-1)[:length]


@dataclass(frozen=True)
class ImageBlock:
    """A block of files that has been read; `start` is the number of its first file.

    The receiver of the block must release its segment of the ring.
    """

    start: int
    result: BlockResult
    segment: Segment


class BlockReader(Protocol):
    """Reads blocks, several at the same time, each in the calling thread."""

    messages: list[str]

    def __call__(self, files: Sequence[File], segment: Segment) -> BlockResult:
        """Read files into the rows of a segment; see `fishembed.extraction.read_block`."""
        ...


class ThreadReader:
    """Reads blocks in the calling thread."""

    def __init__(self, ring: ImageRing, known: Collection[str], transform: ImageTransform) -> None:
        self.messages: list[str] = []
        self._ring, self._known, self._transform = ring, known, transform

    def __call__(self, files: Sequence[File], segment: Segment) -> BlockResult:
        """Read files into the rows of a segment."""
        out = self._ring.memory[segment.start : segment.start + segment.rows]
        return read_block(files, self._known, self._transform, out)


class FileReaders:
    """Reads files into the ring, `workers` blocks at the same time, and yields them in order."""

    def __init__(self, reader: BlockReader, ring: ImageRing, workers: int) -> None:
        self._reader, self._ring, self._workers = reader, ring, workers
        self._size = _FIRST_BLOCK
        self._rows_each = 1.0

    def read(self, files: Sequence[File]) -> Generator[ImageBlock, None, None]:
        """Yield every block of files, in order, as soon as it is read.

        The receiver must call `ring.release(block.segment)` after use; until enough rows are
        released, nothing more is read. Closing the iterator ends the threads.
        """
        with ExitStack() as stack:
            pool = ThreadPoolExecutor(self._workers, thread_name_prefix="read")
            stack.callback(pool.shutdown, wait=True, cancel_futures=True)
            yield from self._blocks(files, pool)

    def _blocks(self, files: Sequence[File], pool: ThreadPoolExecutor) -> Iterator[ImageBlock]:
        begun: deque[tuple[int, Segment, Future[BlockResult]]] = deque()
        at = 0
        while at < len(files) or begun:
            while at < len(files) and len(begun) < _AHEAD * self._workers:
                some = self._block(files, at)
                segment = self._ring.take(math.ceil(len(some) * self._rows_each))
                if segment is None:
                    break
                begun.append((at, segment, pool.submit(self._reader, some, segment)))
                at += len(some)
            if begun:
                start, segment, promise = begun.popleft()
                result = promise.result()
                self._measure(result)
                yield ImageBlock(start, result, segment)
            else:
                self._ring.wait(1.0)

    def _block(self, files: Sequence[File], at: int) -> Sequence[File]:
        """Return the files of the next block; frames of one video are read together."""
        left = len(files) - at
        whole = getattr(files[at], "together", None)
        if whole is None:
            return files[at : at + self._block_size(left)]
        some = files[at : at + min(left, _LARGEST_BLOCK, self._room())]
        return [*takewhile(lambda one: getattr(one, "together", None) == whole, some)]

    def _room(self) -> int:
        return max(1, int(len(self._ring) // (4 * _AHEAD * self._workers) / self._rows_each))

    def _block_size(self, left: int) -> int:
        """Return the size of the next block; small near the end, so that readers end together."""
        share = -(-left // (_AHEAD * self._workers))
        return max(1, min(self._size, share, self._room()))

    def _measure(self, result: BlockResult) -> None:
        """Update the block size, to take about `_BLOCK_SECONDS`, and the rows for each file."""
        seconds = (result.read_seconds + result.decode_seconds) / max(1, len(result.digests))
        wanted = int(_BLOCK_SECONDS / max(seconds, 1e-6))
        self._size = max(1, min(_LARGEST_BLOCK, 2 * self._size, wanted))
        if result.images:
            rows = result.rows_wanted / len(result.images)
            self._rows_each = min(_MOST_ROWS, max(1.0, 0.7 * self._rows_each + 0.3 * rows))


def use_processes(files: int) -> bool:
    """Return whether processes shall read this number of files."""
    enough = _ENOUGH_ON_FEW_CORES if cores() <= _FEW_CORES else ENOUGH_FOR_PROCESSES
    return hasattr(os, "memfd_create") and files >= enough


def cores() -> int:
    """Return the number of cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
