"""The scans of a JPEG: each is a pass over the whole image, however few bytes it has."""

from __future__ import annotations

from fishembed.errors import ImageError

MOST_SCANS = 100
"""Encoders write one, or about ten for progressive files, and rarely a few dozen. A megabyte may
hold tens of thousands, each of which takes as long as a whole image."""

_START, _END, _MARKER = b"\xff\xda", 0xD9, 0xFF
_NO_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})


def count_scans(data: bytes) -> int:
    """Return how many scans the first image of a JPEG file has.

    Raises
    ------
    ImageError
        When there are more than `MOST_SCANS`.
    """
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
