"""Read, hash and decode a block of files: the work of one reader, thread or process."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Container, MutableSequence, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.arrays import Pixels
from fishembed.encoders import EncoderSpec
from fishembed.errors import ImageError
from fishembed.images import (
    MAX_PIXELS,
    ImageBytes,
    VideoFrame,
    image_pixels,
    read_bytes,
    suits_device,
)
from fishembed.images.decoding.decode import scaled_by_content

File = str | Path | ImageBytes
"""A path, or an object for bytes that are not a file of this machine."""


DECODING_ERRORS = (ImageError, MemoryError, ValueError, OSError)
"""Errors for which a file is skipped."""


@dataclass(frozen=True)
class ImageTransform:
    """Transform from the bytes of a file to an encoder's input pixels.

    See `fishembed.images.image_pixels` for its attributes.
    """

    geometry: dict[str, Any]
    decoding: str = "exact"
    max_pixels: int = MAX_PIXELS

    @classmethod
    def of(cls, spec: EncoderSpec, max_pixels: int = MAX_PIXELS) -> ImageTransform:
        """Return the transform of an encoder's specification."""
        return cls(spec.preprocessing.geometry(), spec.decoding, max_pixels)

    def __call__(self, data: bytes) -> Pixels:
        """Return uint8 (crop, crop, 3)."""
        return image_pixels(data, self.geometry, decoding=self.decoding, max_pixels=self.max_pixels)

    def suits_device(self, data: bytes) -> bool:
        """Return whether the encoder's device may decode a file."""
        return suits_device(data, self.geometry, self.max_pixels)


@dataclass(frozen=True)
class StoredImage:
    """Location of an image in the ring: index of its file in the block, and first row.

    `length` is the number of bytes where the rows contain the undecoded file, to be decoded on the
    encoder's device, and 0 where they contain pixels.
    """

    file: int
    row: int
    length: int = 0


@dataclass
class BlockResult:
    """Result of reading a block of files.

    Attributes
    ----------
    digests
        SHA-256 of each file's bytes, None where it could not be read.
    images
        Images that must be encoded, in the order of the files.
    reasons
        Why a file cannot be used, by its index in the block.
    rows_wanted
        Rows that all images would have needed with enough room.
    read_seconds
        Wall time of reading and hashing.
    decode_seconds
        Core time of decoding and resizing.
    scaled
        Indices of images whose brightness was scaled by their content, such as 12 bits in 16.
    """

    digests: list[str | None] = field(default_factory=list)
    images: list[StoredImage] = field(default_factory=list)
    reasons: dict[int, str] = field(default_factory=dict)
    rows_wanted: int = 0
    read_seconds: float = 0.0
    decode_seconds: float = 0.0
    scaled: list[int] = field(default_factory=list)


def read_block(
    files: Sequence[File],
    known: Container[str],
    transform: ImageTransform,
    out: Pixels,
    *,
    current: MutableSequence[int] | None = None,
) -> BlockResult:
    """Read files and decode those whose digest is not known yet.

    Parameters
    ----------
    files
        At most as many as `out` has rows.
    known
        Digests that need no pixels.
    transform
        Transform from bytes to pixels.
    out
        uint8 (n, crop, crop, 3), to which pixels are written, one row for each image, and with the
        decoding mode `device` the bytes of files that suit the device, in as many rows as needed.
    current
        Its first element is set to the index of the current file, so that another process can
        find out which file crashed this one.
    """
    result, row = BlockResult(), 0
    wall = time.perf_counter()
    for at, file in enumerate(files):
        if current is not None:
            current[0] = at
        scaled_by_content.here = False
        digest, core = None, time.thread_time()
        try:
            digest, data = _identified(file, known)
            result.read_seconds += time.perf_counter() - wall
            core = time.thread_time()
            if data is not None:
                room = len(out) - (len(files) - at - 1)
                length, rows, wanted = _store(data, transform, out[row:room])
                result.images.append(StoredImage(at, row, length))
                result.rows_wanted += wanted
                row += rows
                if scaled_by_content.here:
                    result.scaled.append(at)
        except DECODING_ERRORS as error:
            result.reasons[at] = skip_reason(error)
        result.digests.append(digest)
        result.decode_seconds += time.thread_time() - core
        wall = time.perf_counter()
    return result


def _identified(file: File, known: Container[str]) -> tuple[str, bytes | None]:
    """Return a file's digest, and its bytes where it must be encoded.

    The digest of a video frame is that of the video's bytes and the frame's time, so that it is
    known before decoding.
    """
    if isinstance(file, VideoFrame):
        digest = file.digest()
        return digest, None if digest in known else file.read()
    data = read_bytes(file)
    digest = hashlib.sha256(data).hexdigest()
    return digest, None if digest in known else data


def _store(data: bytes, transform: ImageTransform, out: Pixels) -> tuple[int, int, int]:
    """Write a file's bytes or pixels; return its length or 0, rows used and rows needed."""
    wanted = 1
    if transform.decoding == "device" and transform.suits_device(data):
        wanted = -(-len(data) // out[0].nbytes)
        if wanted <= len(out):
            out.reshape(-1)[: len(data)] = np.frombuffer(data, np.uint8)
            return len(data), wanted, wanted
    out[0] = transform(data)
    return 0, 1, wanted


def skip_reason(error: Exception) -> str:
    """Return the reason for skipping a file, as shown to users."""
    return str(error) if isinstance(error, ImageError) else f"cannot be resized: {error}"
