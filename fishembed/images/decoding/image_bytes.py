"""Images that are no files of their own: members of a tar, objects of a remote store."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Protocol

from fishembed.errors import ImageError


class ImageBytes(Protocol):
    """The bytes of one image, wherever they lie. Small, and can be sent to other processes."""

    @property
    def state(self) -> tuple[int, int]:
        """Its size in bytes, and a number that changes with what it lies in; -1 for unusable."""
        ...

    def __hash__(self) -> int: ...

    def read(self) -> bytes:
        """Return all bytes of the image.

        Raises
        ------
        ImageError
            When that cannot be done.
        """
        ...


@dataclass(frozen=True)
class UnreadableImage:
    """What a dataset names but nobody can read; extraction skips it with the reason."""

    reason: str
    state: tuple[int, int] = (-1, -1)

    def read(self) -> bytes:
        """Refuse, with the reason."""
        raise ImageError(self.reason)


def stamp(*facts: object) -> int:
    """Return a number of 63 bits that other facts do not give; stands where files have a time."""
    digest = hashlib.blake2b(repr(facts).encode("utf-8", "backslashreplace"), digest_size=8)
    return int.from_bytes(digest.digest(), "big") >> 1
