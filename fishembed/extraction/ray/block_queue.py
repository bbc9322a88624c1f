"""Files of one run, given out in blocks to workers that may die."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from fishembed.errors import FishembedError
from fishembed.extraction.reading.read_block import File

_FIRST = 512
"""Files of a block while nobody knows how fast workers are."""

_LEAST, _MOST = 32, 1 << 14

_SECONDS = 5.0
"""EncodingJob in a block: all that a death costs."""

_SHARES = 8
"""BlockQueue that are left for each worker, at the least, so that none waits long for the last."""


@dataclass(frozen=True)
class Block:
    """Some files, of which the first is the `start`-th of the run."""

    start: int
    files: tuple[File, ...]


class BlockQueue:
    """What is left to do: first large blocks, then smaller ones (guided self-scheduling).

    Parameters
    ----------
    files
        Of the run.
    workers
        How many share them.
    tries
        Times that a block is given out before the deaths of its workers end the run.

    Notes
    -----
    Source: Polychronopoulos and Kuck 1987, "Guided self-scheduling": each block is a fixed
    share of what is left. Here a time bounds it from above.
    """

    def __init__(self, files: Sequence[File], workers: int, *, tries: int) -> None:
        self._files = files
        self._workers = workers
        self._tries = tries
        self._next = 0
        self._most = _FIRST
        self._back: deque[Block] = deque()
        self._deaths: dict[int, int] = {}
        self._open = 0

    @property
    def finished(self) -> bool:
        """Whether every block has been handed to a worker and is done."""
        return not self._open and not self._back and self._next == len(self._files)

    def next(self) -> Block | None:
        """Return out a block: one that came back, else new files; None where all are given out."""
        if self._back:
            block = self._back.popleft()
        elif self._next < len(self._files):
            left = len(self._files) - self._next
            fair = -(-left // (self._workers * _SHARES))
            size = min(self._most, max(_LEAST, fair))
            block = Block(self._next, tuple(self._files[self._next : self._next + size]))
            self._next += len(block.files)
        else:
            return None
        self._open += 1
        return block

    def done(self, block: Block, seconds: float) -> None:
        """Learn that a block is done, and how long it took."""
        self._open -= 1
        size = round(len(block.files) * _SECONDS / max(seconds, 1e-3))
        # A block may have had little to encode, so that one alone says little.
        self._most = min(_MOST, 2 * self._most, max(_LEAST, size))

    def again(self, block: Block, why: Exception) -> None:
        """Return a block to the queue, whose worker has died.

        Raises
        ------
        FishembedError
            When that has happened too often.
        """
        self._open -= 1
        died = self._deaths[block.start] = self._deaths.get(block.start, 0) + 1
        if died >= self._tries:
            raise FishembedError(
                f"no worker could do the block that starts with file {block.start:,}, "
                f"{died} times tried: {' '.join(str(why).split())[:300]}"
            ) from why
        self._back.append(block)
