"""Batches: how many images at once, and what to do when they do not fit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed.extraction.partial_file_writer import FeatureArrays, joined

if TYPE_CHECKING:
    import torch

    Images = npt.NDArray[np.uint8] | torch.Tensor
    Encode = Callable[[Images], FeatureArrays]

_TRIALS = 3
"""Batches of each size that are timed; the fastest of them counts."""


class BatchSize:
    """Images that are encoded at once: measured on the first batches, or fixed by the user.

    Half and twice the size that usually suits the device are tried beside it, a few batches
    each, and the fastest by image is kept. A batch that did not fit lowers it for good.

    Parameters
    ----------
    usual
        What suits the device as a rule.
    fixed
        The user's choice; nothing is tried then.
    """

    def __init__(self, usual: int, fixed: int | None = None) -> None:
        self._lock = threading.Lock()
        self._limit = fixed or 2 * usual
        self._trials = [] if fixed else [usual, 2 * usual, max(1, usual // 2)] * _TRIALS
        self._cost: dict[int, float] = {}
        self._usual = fixed or usual

    @property
    def now(self) -> int:
        """The size of the batches that come to be encoded."""
        with self._lock:
            best = min(self._cost, key=lambda size: self._cost[size], default=self._usual)
            return min(best, self._limit)

    def next(self) -> int:
        """Return the size of the batch that is collected next."""
        with self._lock:
            if self._trials:
                return min(self._trials.pop(0), self._limit)
        return self.now

    def record_time(self, size: int, seconds: float) -> None:
        """Learn how long a batch took."""
        with self._lock:
            if self._trials or not self._cost:
                cost = seconds / size
                self._cost[size] = min(cost, self._cost.get(size, cost))

    def record_failure(self, size: int) -> None:
        """Learn that a batch was too large for the device's memory."""
        with self._lock:
            self._limit = max(1, min(self._limit, size // 2))


@dataclass(frozen=True)
class EncodedBatch:
    """A batch's features, the seconds they took, and the size that did fit, 0 where the first."""

    features: FeatureArrays
    seconds: float
    shrunk_to: int = 0


def encode_in_halves(
    encode: Encode, pixels: Images, sizes: BatchSize, clock: Callable[[], float]
) -> EncodedBatch:
    """Encode a batch; where it does not fit into memory, halve it until it does.

    Parameters
    ----------
    encode
        uint8 (n, crop, crop, 3) to features.
    pixels
        The batch.
    sizes
        Receives how long it took, or that it did not fit.
    clock
        What seconds are read from.
    """
    began = clock()
    try:
        features = encode(pixels)
    except (RuntimeError, MemoryError) as error:
        if len(pixels) == 1 or not is_out_of_memory(error):
            raise
    else:
        seconds = clock() - began
        sizes.record_time(len(pixels), seconds)
        return EncodedBatch(features, seconds)
    # Outside the handler, since the traceback would keep the batch's tensors alive.
    sizes.record_failure(len(pixels))
    middle = len(pixels) // 2
    halves = [
        encode_in_halves(encode, part, sizes, clock) for part in (pixels[:middle], pixels[middle:])
    ]
    smallest = min(half.shrunk_to or middle for half in halves)
    return EncodedBatch(joined([half.features for half in halves]), clock() - began, smallest)


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error means that a batch does not fit into memory, on any device."""
    text = str(error).lower()
    return isinstance(error, MemoryError) or "out of memory" in text or "allocate memory" in text


def clock_of(device: str) -> Callable[[], float]:
    """Return the clock of a forward pass: the thread's own on a CPU, the wall's elsewhere.

    On a CPU, threads take turns with those that decode; only their own time compares.
    """
    return time.perf_counter if device.startswith(("cuda", "mps")) else time.thread_time
