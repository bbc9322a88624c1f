"""Files to pixels, several at a time, in order, never more in memory than a window."""

from __future__ import annotations

import hashlib
import os
from collections import deque
from collections.abc import Callable, Container, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.errors import ImageError
from fishembed.extraction.vectors import Bundle
from fishembed.images import Blob, crop_pixels, decode, quiet_decoding, read_bytes


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
    """

    digest: str | None
    pixels: npt.NDArray[np.uint8] | None
    reason: str = ""


def read_picture(
    path: Path | Blob, known: Container[str], geometry: dict[str, Any], max_pixels: int
) -> ReadPicture:
    """Read one file; decode it where its digest is not known yet."""
    digest = None
    try:
        data = read_bytes(path)
        digest = hashlib.sha256(data).hexdigest()
        if digest in known:
            return ReadPicture(digest, None)
        return ReadPicture(digest, crop_pixels(decode(data, max_pixels=max_pixels), **geometry))
    except ImageError as error:
        return ReadPicture(digest, None, str(error))
    except (MemoryError, ValueError, OSError) as error:
        return ReadPicture(digest, None, f"cannot be resized: {error}")


def read_pictures(
    paths: Iterable[Path | Blob],
    known: Container[str],
    geometry: dict[str, Any],
    *,
    max_pixels: int,
    workers: int | None = None,
    window: int = 256,
) -> Iterator[ReadPicture]:
    """Read files in threads and yield what came of each, in order.

    Parameters
    ----------
    paths
        The files, or what stands for them.
    known
        Digests that need no pixels.
    geometry
        See `fishembed.images.crop_pixels`.
    max_pixels
        Width × height above which a picture is skipped.
    workers
        Threads; one for each core when left out.
    window
        Pictures that may be in memory at once.
    """
    pending: deque[Future[ReadPicture]] = deque()
    pool = ThreadPoolExecutor(workers or os.cpu_count() or 1, thread_name_prefix="decode")
    try:
        with quiet_decoding():
            for path in paths:
                pending.append(pool.submit(read_picture, path, known, geometry, max_pixels))
                if len(pending) >= window:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


class Batcher:
    """Collects pictures, encodes them by batches, hands finished vectors on.

    A picture whose digest it had before is left out: identical bytes are encoded once.

    Parameters
    ----------
    encode
        uint8 (n, crop, crop, 3) to their vectors.
    finished
        Takes the digests and the vectors of a batch.
    batch_size
        Gives how many pictures are encoded at once; asked when there is one to encode.
    """

    def __init__(
        self,
        encode: Callable[[npt.NDArray[np.uint8]], Bundle],
        finished: Callable[[list[str], Bundle], None],
        batch_size: Callable[[], int],
    ) -> None:
        self._encode = encode
        self._finished = finished
        self._batch_size = batch_size
        self._seen: set[str] = set()
        self._digests: list[str] = []
        self._pixels: list[npt.NDArray[np.uint8]] = []

    def add(self, digest: str, pixels: npt.NDArray[np.uint8]) -> None:
        """Take one picture."""
        if digest in self._seen:
            return
        self._seen.add(digest)
        self._digests.append(digest)
        self._pixels.append(pixels)
        if len(self._digests) >= self._batch_size():
            self.flush()

    def flush(self) -> None:
        """Encode what is waiting."""
        if self._digests:
            vectors = self._encode(np.stack(self._pixels))
            self._finished(self._digests, vectors)
            self._digests, self._pixels = [], []
