"""Files to pixels, several at a time, in order, never more in memory than a window."""

from __future__ import annotations

import hashlib
import os
import time
from collections import deque
from collections.abc import Container, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import ImageError
from fishembed.extraction.device_decoding import DecodingHelper
from fishembed.extraction.stages import NOTHING, Seconds
from fishembed.images import MAX_PIXELS, Blob, picture_pixels, quiet_decoding, read_bytes

_FAILURES = (ImageError, MemoryError, ValueError, OSError)
"""What a file may be skipped for."""


@dataclass(frozen=True)
class Preparation:
    """How a file becomes pixels.

    Attributes
    ----------
    geometry
        See `fishembed.images.crop_pixels`.
    mode
        See `fishembed.images.picture_pixels`.
    max_pixels
        Width × height above which a picture is skipped.
    helper
        Decodes some of them elsewhere.
    """

    geometry: dict[str, Any]
    mode: str = "exact"
    max_pixels: int = MAX_PIXELS
    helper: DecodingHelper | None = None

    def decode(self, data: bytes) -> npt.NDArray[np.uint8]:
        """Decode a file on the CPU; see `fishembed.images.picture_pixels`."""
        return picture_pixels(data, self.geometry, decoding=self.mode, max_pixels=self.max_pixels)


@dataclass(frozen=True)
class ReadPicture:
    """What came of one file.

    Attributes
    ----------
    digest
        SHA-256 of its bytes, None where it could not be read.
    pixels
        uint8 (crop, crop, 3); None where the digest was known, or on failure.
    reason
        Why it cannot be used, "" where it can.
    spent
        Seconds of reading and of decoding on the CPU.
    promise
        What gives the pixels, where they are decoded elsewhere.
    """

    digest: str | None
    pixels: npt.NDArray[np.uint8] | None
    reason: str = ""
    spent: Seconds = NOTHING
    promise: Future[npt.NDArray[np.uint8]] | None = None

    def settled(self) -> ReadPicture:
        """Wait for pixels that are decoded elsewhere."""
        if self.promise is None:
            return self
        try:
            return replace(self, pixels=self.promise.result(), promise=None)
        except _FAILURES as error:
            return replace(self, reason=_reason(error), promise=None)


def read_picture(file: Path | Blob, known: Container[str], how: Preparation) -> ReadPicture:
    """Read one file; decode it, or have it decoded, where its digest is not known yet."""
    digest = pixels = promise = None
    reason = ""
    began, worked = time.perf_counter(), time.thread_time()
    read = 0.0
    try:
        data = read_bytes(file)
        digest = hashlib.sha256(data).hexdigest()
        read, worked = time.perf_counter() - began, time.thread_time()
        if digest not in known:
            promise = how.helper.offer(data) if how.helper is not None else None
            pixels = how.decode(data) if promise is None else None
    except _FAILURES as error:
        reason = _reason(error)
    spent = Seconds(read=read, decode=time.thread_time() - worked)
    return ReadPicture(digest, pixels, reason, spent, promise)


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, ImageError) else f"cannot be resized: {error}"


def read_pictures(
    files: Iterable[Path | Blob],
    known: Container[str],
    how: Preparation,
    *,
    workers: int | None = None,
    window: int = 256,
) -> Generator[ReadPicture, None, None]:
    """Read files in threads and yield what came of each, in order.

    Parameters
    ----------
    files
        The files, or what stands for them.
    known
        Digests that need no pixels.
    how
        How bytes become pixels.
    workers
        Threads; one for each core when left out.
    window
        Pictures that may be in memory at once.
    """
    pending: deque[Future[ReadPicture]] = deque()
    pool = ThreadPoolExecutor(workers or cores(), thread_name_prefix="decode")
    try:
        with quiet_decoding():
            for file in files:
                pending.append(pool.submit(read_picture, file, known, how))
                if len(pending) >= window:
                    yield pending.popleft().result().settled()
            while pending:
                yield pending.popleft().result().settled()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def cores() -> int:
    """Count the cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS and Windows
        return os.cpu_count() or 1
