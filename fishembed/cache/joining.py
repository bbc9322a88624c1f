"""Several stores of the same pictures, side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.cache.labelled import LabelledVectors, Which
from fishembed.cache.schema import TextVectors
from fishembed.cache.store import FeatureStore
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


class JoinedStores(LabelledVectors):
    """Pictures that several stores have, each with the vectors of all of them.

    Make it with `join_stores`. Paths, labels, splits and groups are the first store's;
    it answers the questions that a `FeatureStore` answers, but has no text vectors.

    Parameters
    ----------
    stores
        Two or more.
    rows
        (n, n_stores): for each picture its row in each store.
    """

    text_keys: tuple[str, ...] = ()

    def __init__(self, stores: Sequence[FeatureStore], rows: npt.NDArray[np.intp]) -> None:
        self.stores = tuple(stores)
        self._rows = rows
        self._first = stores[0]
        self.path: AnyPath = self._first.path
        self.source: dict[str, Any] = self._first.source

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def name(self) -> str:
        """Names of the stores."""
        return "+".join(store.name for store in self.stores)

    @property
    def dim(self) -> int:
        """Length of a joined vector."""
        return self.width()

    def width(self, which: Which = "image") -> int:
        """Give the length of a joined vector."""
        return sum(store.width(which) for store in self.stores)

    @property
    def encoder_name(self) -> str:
        """What the encoders are called."""
        return " + ".join(store.encoder_name for store in self.stores)

    @property
    def encoder_fingerprint(self) -> str:
        """Identity of the encoders, in their order."""
        return self.feature_fingerprint()

    def feature_fingerprint(self, which: Which = "image") -> str:
        """Give the identity of the joined space; another order of the stores is another."""
        return _together([store.feature_fingerprint(which) for store in self.stores])

    @property
    def encoder(self) -> dict[str, Any]:
        """What the encoders are."""
        return {
            "name": self.encoder_name,
            "library": "joined",
            "dim": self.dim,
            "fingerprint": self.encoder_fingerprint,
            "joined": [store.encoder for store in self.stores],
        }

    @property
    def fingerprint(self) -> str:
        """Identity of the stores' contents, in their order."""
        return _together([store.fingerprint for store in self.stores])

    @property
    def classes(self) -> list[str]:
        """Names of the first store's classes."""
        return self._first.classes

    @cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,) into `classes`, -1 for none."""
        return self._first.labels[self._rows[:, 0]]

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""
        return self._first.splits[self._rows[:, 0]]

    @cached_property
    def paths(self) -> list[str]:
        """Path of each picture."""
        return [self._first.paths[row] for row in self._rows[:, 0]]

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of each picture's bytes in hex."""
        return [self._first.digests[row] for row in self._rows[:, 0]]

    @cached_property
    def groups(self) -> list[str]:
        """Group of each row; "" for none."""
        return [self._first.groups[row] for row in self._rows[:, 0]]

    def close(self) -> None:
        """Close the stores."""
        for store in self.stores:
            store.close()

    def text(self, key: str) -> TextVectors:
        """Refuse: words live in one encoder's space, not in several side by side."""
        raise InputError(f"joined stores have no text vectors {key!r}: name one store")

    def vectors(
        self, rows: npt.NDArray[np.intp] | Sequence[int], which: Which = "image"
    ) -> npt.NDArray[np.float32]:
        """Give float32 (len(rows), dim): the stores' vectors, each scaled to length 1."""
        wanted = self._rows[np.asarray(rows, dtype=np.intp)]
        blocks = [
            unit_rows(store.vectors(wanted[:, i], which)) for i, store in enumerate(self.stores)
        ]
        return np.concatenate(blocks, axis=1)


Store = FeatureStore | JoinedStores
"""What an experiment is made on."""


def open_joined(paths: Sequence[str | AnyPath]) -> Store:
    """Open one store, or several side by side.

    Raises
    ------
    StoreNotFoundError, StoreFormatError
        See `FeatureStore.open`.
    InputError
        See `join_stores`.
    """
    stores = [FeatureStore.open(path) for path in paths]
    return stores[0] if len(stores) == 1 else join_stores(stores)


def join_stores(stores: Sequence[FeatureStore]) -> JoinedStores:
    """Put stores of the same pictures side by side.

    Pictures are recognised by their bytes (digest); by path where imported vectors have no
    digest. What is not in all stores is left out.

    Parameters
    ----------
    stores
        Two or more, the first one gives paths, labels, splits and groups.

    Raises
    ------
    InputError
        When there is one store only, two come from the same encoder, or no picture is in all.
    """
    if len(stores) < 2:
        raise InputError(f"{len(stores)} store given: joining needs two or more")
    prints = [store.encoder_fingerprint for store in stores]
    if len(set(prints)) < len(prints):
        twice = next(i for i, one in enumerate(prints) if prints.index(one) < i)
        raise InputError(
            f"{str(stores[twice].path)!r} and {str(stores[prints.index(prints[twice])].path)!r} "
            "hold vectors of the same encoder: joining them adds nothing"
        )
    by_path = any("" in store.digests for store in stores)
    keys = [store.paths if by_path else store.digests for store in stores]
    at = [{key: row for row, key in enumerate(column)} for column in keys[1:]]
    rows = [
        (row, *(one[key] for one in at))
        for row, key in enumerate(keys[0])
        if all(key in one for one in at)
    ]
    if not rows:
        names = ", ".join(repr(str(store.path)) for store in stores)
        what = "path" if by_path else "picture"
        raise InputError(f"{names} have no {what} in common")
    return JoinedStores(stores, np.array(rows, dtype=np.intp))


def _together(prints: list[str]) -> str:
    return hashlib.sha256("+".join(prints).encode()).hexdigest()[:16]
