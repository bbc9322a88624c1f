"""Where the vectors of each picture are: in the store before, or in a part."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import Parts
from fishembed.extraction.part_writer import Batches, Bundle, PartWriter

PART_SECONDS = 5.0
"""The most work that a killed extraction loses."""

NOT_FINITE = "the encoder gave a vector that is not finite"

__all__ = ["NOT_FINITE", "PART_SECONDS", "Bundle", "KnownVectors", "only_finite"]


class KnownVectors:
    """Vectors by digest: those there are, and those that are being made.

    Parameters
    ----------
    parts
        Where new vectors become safe; those that are there already are taken over.
    """

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._sources: list[Callable[[str], npt.NDArray[Any]]] = []
        self._where: dict[str, tuple[int, int]] = {}
        self._fresh: Batches = []
        self._fresh_digests: set[str] = set()
        self._saved = time.monotonic()
        self._writer = PartWriter(parts)
        self.unusable: set[str] = set()
        self.encoded: set[str] = set()
        for part, digests in parts.found():
            self._take_part(part, digests)

    def __contains__(self, digest: object) -> bool:
        return digest in self._where or digest in self._fresh_digests or digest in self.unusable

    def __iter__(self) -> Iterator[str]:
        yield from {*self._where, *self._fresh_digests, *self.unusable}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def take_over(
        self, rows: Mapping[str, int], vectors: Callable[[str], npt.NDArray[Any]]
    ) -> None:
        """Know the vectors of `rows` by digest, which `vectors` gives by dataset."""
        number = len(self._sources)
        self._sources.append(vectors)
        for digest, row in rows.items():
            self._where.setdefault(digest, (number, row))

    def add(self, digests: Sequence[str], vectors: Bundle) -> None:
        """Take a finished batch; every few seconds what is finished becomes safe on disk."""
        good, usable, lost = only_finite(digests, vectors)
        self.unusable.update(lost)
        self.encoded.update(good)
        self._fresh.append((good, usable))
        self._fresh_digests.update(good)
        if time.monotonic() - self._saved > PART_SECONDS:
            self._write()

    def add_part(self, name: str, digests: Sequence[str]) -> None:
        """Take a batch that its encoder has made safe as a part by itself.

        Parameters
        ----------
        name
            Of the part.
        digests
            Of its rows.
        """
        self.encoded.update(digests)
        self._take_part(self._parts.fetch(name), digests)

    def save(self) -> None:
        """Write what is finished as a part, and wait until all of it is on disk.

        Raises
        ------
        StoreWriteError
            When the disk is full or the place not writable, now or in the background.
        """
        self._write()
        self._take_parts(self._writer.wait())

    @property
    def write_seconds(self) -> float:
        """Seconds that were spent on writing parts."""
        return self._writer.seconds

    def _write(self) -> None:
        """Hand what is finished to the thread that writes."""
        fresh, self._fresh = self._fresh, []
        self._saved = time.monotonic()
        self._take_parts(self._writer.add(fresh))

    def gather(self, name: str, digests: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give float32 (len(digests), …) of a dataset, for pictures that are saved."""
        places = np.array([self._where[digest] for digest in digests])
        found = [
            (places[:, 0] == number, self._sources[number](name))
            for number in np.unique(places[:, 0])
        ]
        out = np.empty((len(digests), found[0][1].shape[1]), np.float32)
        for mine, array in found:
            out[mine] = array[places[mine, 1]]
        return out

    def _take_parts(self, written: list[tuple[Path, list[str]]]) -> None:
        for part, digests in written:
            self._take_part(part, digests)
            self._fresh_digests.difference_update(digests)

    def _take_part(self, part: Path, digests: Sequence[str]) -> None:
        rows = {digest: row for row, digest in enumerate(digests)}
        self.take_over(rows, partial(self._parts.vectors, part))


def only_finite(digests: Sequence[str], vectors: Bundle) -> tuple[list[str], Bundle, set[str]]:
    """Leave out the pictures of which a vector is not finite, and give their digests too."""
    finite = np.all([np.isfinite(array).all(axis=1) for array in vectors.values()], axis=0)
    good = [digest for digest, fine in zip(digests, finite, strict=True) if fine]
    usable = {name: array[finite] for name, array in vectors.items()}
    return good, usable, set(digests) - set(good)
