"""Memory for the images that wait to be encoded: one ring, written and read in place."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Pixels = npt.NDArray[np.uint8]


@dataclass(eq=False)
class Segment:
    """Rows of the ring that a block of files has.

    Attributes
    ----------
    start, rows
        Where they are.
    uses
        Who still needs them: the block itself, and batches that hold images of it.
    """

    start: int
    rows: int
    uses: int = 1


class ImageRing:
    """Rows for images, taken and released in about the same order.

    A row is written by a reader, encoded from where it lies, and used again. How many rows there
    are bounds the images in memory.

    Parameters
    ----------
    memory
        uint8 (rows, crop, crop, 3).
    """

    def __init__(self, memory: Pixels) -> None:
        self.memory = memory
        self._taken: deque[Segment] = deque()
        self._head = 0
        self._changed = threading.Condition()

    def __len__(self) -> int:
        return len(self.memory)

    def take(self, rows: int) -> Segment | None:
        """Return `rows` adjacent rows, or None where there is no room for them now."""
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
        """Count one more who needs a segment."""
        with self._changed:
            segment.uses += 1

    def release(self, segment: Segment) -> None:
        """Count one less who needs a segment; its rows are free when nobody does."""
        with self._changed:
            segment.uses -= 1
            while self._taken and not self._taken[0].uses:
                self._taken.popleft()
            self._changed.notify_all()

    def wait(self, seconds: float) -> None:
        """Wait until a segment is released, at most so long."""
        with self._changed:
            self._changed.wait(seconds)

    def images(self, rows: Sequence[int]) -> Pixels:
        """Return the images of some rows, copied only where these are not adjacent."""
        first, last = rows[0], rows[-1]
        if last - first + 1 == len(rows):  # rows of a batch never repeat, and rise but at the end
            return self.memory[first : last + 1]
        return self.memory[list(rows)]

    def file(self, row: int, length: int) -> Pixels:
        """Return the bytes of a file that lies in the ring from a row on."""
        return self.memory[row:].reshape(-1)[:length]
