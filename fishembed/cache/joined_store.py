"""Join of several encoders' stores of the same images, features side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import numpy.typing as npt

from fishembed.cache.lazy_rows import JoinedRows, Matrix
from fishembed.cache.rows import Column, take_metadata
from fishembed.cache.store import FeatureKind, Store
from fishembed.cache.validation import Damage
from fishembed.errors import DataError, InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


class JoinedStore(Store):
    """Images that several stores have, each with the features of all encoders.

    Make it with `join_stores`. Paths, labels, splits and groups are the first store's. An
    embedding is those of the encoders one after the other, each scaled to length 1. There are
    no text features: they lie in the space of one encoder. `rows` (n, n_stores) has for each image
    its row in each store.
    """

    def __init__(self, stores: Sequence[Store], rows: npt.NDArray[np.intp]) -> None:
        first = stores[0]
        self._stores, self._rows, self._first = tuple(stores), rows, first
        name = " + ".join(store.encoder_name for store in stores)
        super().__init__(
            first.path,
            len(rows),
            encoder={
                "name": name,
                "library": "joined",
                "dim": sum(store.dim for store in stores),
                "fingerprint": self.feature_fingerprint(),
                "joined": [store.encoder for store in stores],
            },
            source=first.source,
            fingerprint=_hash_all(store.fingerprint for store in stores),
            has_trunk=all(store.has_trunk for store in stores),
            trunk_is_image=all(store.trunk_is_image for store in stores),
        )
        self.versions, self.created = first.versions, first.created

    @property
    def stores(self) -> Sequence[Store]:
        """The stores that are side by side here."""
        return self._stores

    def files(self) -> Iterator[AnyPath]:
        """Yield the paths of all files that the stores are read from."""
        return (path for store in self.stores for path in store.files())

    @property
    def name(self) -> str:
        """Names of the stores."""
        return "+".join(store.name for store in self.stores)

    def close(self) -> None:
        """Close all stores that are joined."""
        for store in self._stores:
            store.close()
        self._closed = True

    def _verify(self) -> list[Damage]:
        return [damage for store in self.stores for damage in store.verify()]

    def feature_fingerprint(self, which: FeatureKind = "image") -> str:
        """Return the identity of the joined space; another order of the stores is another."""
        return _hash_all(store.feature_fingerprint(which) for store in self.stores)

    def _feature_rows(self, which: FeatureKind) -> Matrix:
        return JoinedRows([store.feature_rows(which) for store in self.stores], self._rows)

    def _mapped_features(self, which: FeatureKind) -> Any:
        matrices = [store.trunk if which == "trunk" else store.features for store in self.stores]
        return JoinedRows(matrices, self._rows)

    def _classes(self) -> list[str]:
        return self._first.classes

    def _skipped(self) -> list[tuple[str, str]]:
        return self._first.skipped

    def _text_keys(self) -> list[str]:
        return []

    def _text(self, key: str) -> NoReturn:
        raise InputError(f"joined stores have no text features {key!r}: name one store")

    def column(self, name: str) -> Any:
        """Return a column of the first store."""
        column, rows = self._first.column(name), self._rows[:, 0]
        return column[rows] if isinstance(column, np.ndarray) else [column[row] for row in rows]

    def _metadata(self) -> Mapping[str, Column]:
        return take_metadata(self._first.metadata, self._rows[:, 0])


def join_stores(stores: Sequence[Store]) -> JoinedStore:
    """Put stores of the same images side by side.

    Images are recognised by their bytes (digest); by path where imported features have no
    digest. What is not in all stores is left out.

    Parameters
    ----------
    stores
        Two or more; paths, labels, splits and groups are those of the first.

    Raises
    ------
    InputError
        When there is one store only, two come from the same encoder, or no image is in all.
    """
    if len(stores) < 2:
        raise InputError(f"{len(stores)} store given: joining needs two or more")
    by_encoder: dict[str, Store] = {}
    for store in stores:
        other = by_encoder.setdefault(store.encoder_fingerprint, store)
        if other is not store:
            raise InputError(
                f"{str(store.path)!r} and {str(other.path)!r} hold features of the same encoder: "
                "joining them adds nothing"
            )
    by_path = any("" in store.digests for store in stores)
    keys = [store.paths if by_path else _image_keys(store) for store in stores]
    row_of = [{key: row for row, key in enumerate(column)} for column in keys[1:]]
    rows = [
        (row, *(one[key] for one in row_of))
        for row, key in enumerate(keys[0])
        if all(key in one for one in row_of)
    ]
    if not rows:
        names = ", ".join(repr(str(store.path)) for store in stores)
        what = "path" if by_path else "image"
        raise DataError(f"{names} have no {what} in common")
    return JoinedStore(stores, np.array(rows, dtype=np.intp))


def _image_keys(store: Store) -> list[tuple[str, bytes, bytes]]:
    """Return the identity of each row's image: its bytes, and the part or moment of it."""
    columns = zip(store.digests, store.boxes, store.times, strict=True)
    return [(digest, box.tobytes(), time.tobytes()) for digest, box, time in columns]


def _hash_all(fingerprints: Iterable[str]) -> str:
    return hashlib.sha256("+".join(fingerprints).encode()).hexdigest()[:16]
