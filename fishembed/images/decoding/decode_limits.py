"""Limits of decoding: memory over all threads and readers together, and scans of a JPEG.

A file of a few kilobytes may ask for gigabytes, and each decoder needs more for a pixel than the
three bytes that are left of it. What an image needs follows from its header; an image that needs
more than there is for all is refused, and those that do not fit beside others wait. Each scan of a
JPEG is a pass over the whole image, however few bytes it has.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fishembed.errors import ImageError

if TYPE_CHECKING:
    from PIL import Image

BYTES_PER_PIXEL = 8
"""Of decoding and resizing a plain image: its copy in Pillow, an array, some rows."""

_PLENTY = 1 << 27
"""Bytes that any reader process may use without a lock: 16 megapixels."""

_SMALL_MODES = {"1": 1, "L": 1, "P": 1, "I;16": 2, "I;16L": 2, "I;16B": 2, "I;16N": 2}
_ARRAY = 3
_OWN_COPIES = {"WEBP": 11, "GIF": 3}
"""Bytes for a pixel that a decoder uses beside the image: WebP's has two canvases and a frame."""

MOST_SCANS = 100
"""Encoders write one, or about ten for progressive files, and rarely a few dozen. A megabyte may
hold tens of thousands, each of which costs as much time as a whole image."""

_START, _END, _MARKER = b"\xff\xda", 0xD9, 0xFF
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def bytes_needed(image: Image.Image, scans: int = 1) -> int:
    """Return the most bytes that decoding an opened image, not yet loaded, needs.

    Its size is the one that it will be decoded to. A JPEG with two scans or more has all
    coefficients in memory.
    """
    loaded = _SMALL_MODES.get(image.mode, 4)
    beside = _OWN_COPIES.get(image.format or "", 0)
    if image.format == "TIFF":
        beside = _strip_bytes(image)
    elif scans > 1:
        beside = 2 * len(image.getbands())
    width, height = image.size
    return width * height * max(loaded + beside + _ARRAY + 1, BYTES_PER_PIXEL)


def _strip_bytes(image: Image.Image) -> int:
    """Return the bytes of a pixel in a TIFF: compressed strips are unpacked whole."""
    tags = getattr(image, "tag_v2", {})
    bits = tags.get(258, (8,))
    bits = bits if isinstance(bits, tuple) else (bits,)
    samples = int(tags.get(277, len(bits)))
    return max(1, -(-max(map(int, bits)) * max(samples, len(bits)) // 8))


class DecodeMemory:
    """Memory for the decoders of this process together; with other readers, for each alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._taken = 0
        self._readers, self._shared_file = 1, -1

    def share(self, readers: int, fd: int) -> None:
        """Share memory with other readers: large images wait for a lock on a file open in all."""
        self._readers, self._shared_file = readers, fd

    @contextmanager
    def reserved(self, needed: int, max_pixels: int) -> Iterator[None]:
        """Wait until there is room for an image; `ImageError` where it needs more than all."""
        limit = BYTES_PER_PIXEL * max_pixels
        if needed > limit:
            raise ImageError(
                f"decoding it takes {needed:,} bytes, above the limit of {limit:,} that "
                f"{max_pixels:,} pixels give (--max-pixels)"
            )
        if self._readers > 1 and needed > max(_PLENTY, limit // (2 * self._readers)):
            with self._turn():
                yield
            return
        with self._changed:
            self._changed.wait_for(lambda: not self._taken or self._taken + needed <= limit)
            self._taken += needed
        try:
            yield
        finally:
            with self._changed:
                self._taken -= needed
                self._changed.notify_all()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        import fcntl  # there are reader processes on Linux only

        # A lock of the process, not of the open file, which is inherited; it ends with the process.
        fcntl.lockf(self._shared_file, fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.lockf(self._shared_file, fcntl.LOCK_UN)


decode_memory = DecodeMemory()
"""Of this process."""


def count_scans(data: bytes) -> int:
    """Return how many scans a JPEG file's first image has; `ImageError` above `MOST_SCANS`."""
    if data.count(_START) <= 1:  # a thumbnail in its metadata has a start too
        return 1
    scans, at = 0, 2
    while 0 <= at < len(data) - 3:
        if data[at] != _MARKER:
            at = data.find(b"\xff", at)
            continue
        kind = data[at + 1]
        if kind in (0x00, _MARKER) or kind in _NO_LENGTH:
            at += 1 if kind == _MARKER else 2
        elif kind == _END:
            break
        else:
            scans += kind == _START[1]
            if scans > MOST_SCANS:
                raise ImageError(f"more than {MOST_SCANS} scans, which no camera or program writes")
            at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return max(1, scans)
