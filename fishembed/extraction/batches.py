"""Batches of images: their content, their size, and encoding them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Pixels
from fishembed._base.perceptual_hash import pixel_hashes
from fishembed.cache import HASH, IMAGE, TRUNK
from fishembed.encoders import Encoder, TrunkEncoder
from fishembed.extraction.engine import EncodedFiles, FeatureArrays, Seconds, joined
from fishembed.extraction.read_block import StoredImage
from fishembed.extraction.readers import ImageBlock, ImageRing, Segment

if TYPE_CHECKING:
    import torch

    Images = npt.NDArray[np.uint8] | torch.Tensor
    Encode = Callable[[Images], FeatureArrays]

_TRIALS = 3
"""Batches of each size that are timed; the fastest counts."""


class Batch:
    """Files that are reported together, and where the images to encode lie in the ring.

    `rows_held` counts the rows of the ring that the batch holds; a plain number, as it is read for
    every file.
    """

    def __init__(self, ring: ImageRing, start: int) -> None:
        self._ring = ring
        self._segments: list[Segment] = []
        self.rows_held = 0
        self.start = start
        self.digests: list[str | None] = []
        self.reasons: dict[int, str] = {}
        self.encoded: list[str] = []
        self.rows: list[int] = []
        self.lengths: list[int] = []
        self.seconds = Seconds()
        self.failed: dict[str, str] = {}
        self.scaled: list[int] = []

    def add(self, block: ImageBlock, at: int, image: StoredImage | None) -> None:
        """Add the `at`-th file of a block, and its image where that must be encoded."""
        digest, reason = block.result.digests[at], block.result.reasons.get(at)
        if reason is not None:
            self.reasons[block.start + at] = reason
        if at in block.result.scaled:
            self.scaled.append(block.start + at)
        self.digests.append(None if reason is not None else digest)
        if image is not None and digest is not None:
            self.encoded.append(digest)
            self.rows.append(block.segment.start + image.row)
            self.lengths.append(image.length)

    def hold(self, segment: Segment) -> None:
        """Hold a segment of the ring until this batch is encoded."""
        self._ring.use(segment)
        self._segments.append(segment)
        self.rows_held += segment.rows

    def release(self) -> None:
        """Release the held rows of the ring."""
        for segment in self._segments:
            self._ring.release(segment)
        self._segments = []

    @property
    def pixels(self) -> Pixels:
        """The images whose pixels are in the ring, uint8 (n, crop, crop, 3)."""
        rows = [row for row, length in zip(self.rows, self.lengths, strict=True) if not length]
        return self._ring.images(rows)

    @property
    def files(self) -> list[tuple[str, Pixels]]:
        """Digest and bytes, uint8 (length,), of each image whose file is still undecoded."""
        images = zip(self.encoded, self.rows, self.lengths, strict=True)
        return [(digest, self._ring.file(row, n)) for digest, row, n in images if n]

    def finished(self, messages: list[str], batch: EncodedBatch | None = None) -> EncodedFiles:
        """Return the result of the files, with the features of the encoded batch."""
        seconds, features, encoded = self.seconds, None, self.encoded
        if batch is not None:
            seconds, features = seconds + Seconds(encode=batch.seconds), batch.features
            if batch.shrunk_to:
                size = f"{batch.shrunk_to} at once"
                messages.append(f"a batch did not fit into memory: going on with {size}")
            if self.failed:
                usable = [at for at, one in enumerate(encoded) if one not in self.failed]
                features = {name: array[usable] for name, array in batch.features.items()}
                encoded = [encoded[at] for at in usable]
        return EncodedFiles(
            self.start,
            self.digests,
            self.reasons,
            encoded,
            features,
            seconds,
            messages,
            failed=self.failed,
            scaled=self.scaled,
        )


class BatchSize:
    """Number of images encoded at once: measured on the first batches, or fixed by the user.

    The usual size of the device, half and twice it are tried, a few batches each, and the fastest
    per image is used. A batch that did not fit into memory lowers the limit for good.

    Parameters
    ----------
    usual
        Usual size for the device.
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
        """The current best size."""
        with self._lock:
            best = min(self._cost, key=lambda size: self._cost[size], default=self._usual)
            return min(best, self._limit)

    def next(self) -> int:
        """Return the size of the next batch: one to try, else the best."""
        with self._lock:
            if self._trials:
                return min(self._trials.pop(0), self._limit)
        return self.now

    def record_time(self, size: int, seconds: float) -> None:
        """Record how long a batch took."""
        with self._lock:
            if self._trials or not self._cost:
                cost = seconds / size
                self._cost[size] = min(cost, self._cost.get(size, cost))

    def record_failure(self, size: int) -> None:
        """Record that a batch was too large for the device's memory."""
        with self._lock:
            self._limit = max(1, min(self._limit, size // 2))


@dataclass(frozen=True)
class EncodedBatch:
    """Features of a batch, seconds, and the size that fit into memory, 0 where the first did."""

    features: FeatureArrays
    seconds: float
    shrunk_to: int = 0


def encode_in_halves(
    encode: Encode, pixels: Images, sizes: BatchSize, clock: Callable[[], float]
) -> EncodedBatch:
    """Encode uint8 (n, crop, crop, 3), halved until it fits into memory.

    The time by the clock, or that it did not fit, is recorded in `sizes`.
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
    # Outside the handler, since the traceback holds references to the batch's tensors.
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
    """Return the clock of a forward pass: thread time on a CPU, wall time on other devices.

    On a CPU, these threads share cores with those that decode, so only thread time compares.
    """
    return time.perf_counter if device.startswith(("cuda", "mps")) else time.thread_time


def encode_batch(encoder: Encoder, batch: Any, *, trunk: bool) -> FeatureArrays:
    """Encode uint8 (n, crop, crop, 3), with `trunk` also before the projection, and hash it."""
    several = getattr(encoder, "encode_several", None)
    if several is not None:
        found: FeatureArrays = several(batch)
        return found
    hashes = pixel_hashes(batch)
    if not trunk:
        return {IMAGE: encoder.encode_images(batch), HASH: hashes}
    image, before_projection = cast("TrunkEncoder", encoder).encode_with_trunk(batch)
    return {IMAGE: image, TRUNK: before_projection, HASH: hashes}
