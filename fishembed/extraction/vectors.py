"""Where the vector of each picture is: in the store before, or in a part."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import FeatureStore, Parts

PART_SECONDS = 5.0
"""The most work that a killed extraction loses."""

NOT_FINITE = "the encoder gave a vector that is not finite"


class KnownVectors:
    """Vectors by digest: those there are, and those that are being made.

    Parameters
    ----------
    store
        The store before, or None.
    parts
        Where new vectors become safe.
    """

    def __init__(self, store: FeatureStore | None, parts: Parts) -> None:
        self._parts = parts
        self._arrays: list[npt.NDArray[Any]] = []
        self._where: dict[str, tuple[int, int]] = {}
        self._fresh: list[tuple[list[str], npt.NDArray[np.float32]]] = []
        self._fresh_digests: set[str] = set()
        self._saved = time.monotonic()
        self.unusable: set[str] = set()
        self.encoded = 0
        if store is not None:
            self._index(store.digests, store.features)
        for digests, vectors in parts.read():
            self._index(digests, vectors)

    def __contains__(self, digest: object) -> bool:
        return digest in self._where or digest in self._fresh_digests or digest in self.unusable

    def add(self, digests: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Take a finished batch; every few seconds what is finished becomes safe on disk."""
        finite = np.asarray(np.isfinite(vectors).all(axis=1))
        good = [digest for digest, fine in zip(digests, finite, strict=True) if fine]
        self.unusable.update(set(digests) - set(good))
        self.encoded += len(good)
        self._fresh.append((good, vectors[finite]))
        self._fresh_digests.update(good)
        if time.monotonic() - self._saved > PART_SECONDS:
            self.save()

    def save(self) -> None:
        """Write what is finished as a part."""
        digests = [digest for batch, _ in self._fresh for digest in batch]
        if digests:
            vectors = np.concatenate([vectors for _, vectors in self._fresh])
            self._parts.add(digests, vectors)
            self._index(digests, vectors)
        self._fresh, self._fresh_digests = [], set()
        self._saved = time.monotonic()

    def gather(self, digests: Sequence[str]) -> npt.NDArray[np.float32]:
        """Give float32 (len(digests), dim) of pictures that are saved."""
        places = np.array([self._where[digest] for digest in digests]).reshape(-1, 2)
        dim = self._arrays[0].shape[1] if self._arrays else 0
        out = np.empty((len(digests), dim), np.float32)
        for number in np.unique(places[:, 0]):
            mine = places[:, 0] == number
            out[mine] = self._arrays[number][places[mine, 1]]
        return out

    def _index(self, digests: Sequence[str], vectors: npt.NDArray[Any]) -> None:
        number = len(self._arrays)
        self._arrays.append(vectors)
        for row, digest in enumerate(digests):
            self._where.setdefault(digest, (number, row))
