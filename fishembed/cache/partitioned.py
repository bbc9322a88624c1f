"""One store over many files: a small index that names them in their order.

The index is JSON and holds what can be asked without opening a file: how many rows each has and
its fingerprint, the encoder, the classes. HDF5's virtual data sets could put the vectors
together too, but they give zeros for a file that is missing, cannot be mapped into memory, and
know no URLs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.files import write_text
from fishembed._base.paths import is_remote, is_url, to_path
from fishembed._base.remote_files import local_copy, uploaded_file
from fishembed._version import __version__
from fishembed.cache.checksums import Damage
from fishembed.cache.concatenated import Concatenated, Matrix
from fishembed.cache.files import write_errors
from fishembed.cache.history import Edit
from fishembed.cache.reading import plain_rows
from fishembed.cache.schema import IMAGE, TextVectors
from fishembed.cache.store import FeatureStore
from fishembed.errors import (
    InputError,
    StoreFormatError,
    StoreIntegrityError,
    StoreMismatchError,
)

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

INDEX_FORMAT = "fishembed-index"
INDEX_SCHEMA = 1

_OPEN_AT_ONCE = 64


class PartitionedStore(FeatureStore):
    """Several stores of one encoder as one, their rows one below the other.

    `FeatureStore.open` gives one where its path ends in `.json`. It answers all that a store
    does; `features` and `trunk` are read where they are looked at, while columns such as
    `paths` are read for all rows when they are asked for.

    Parameters
    ----------
    index
        See `make_index`.
    path
        Where the index lies; what it names is relative to its folder, or a URL.
    """

    def __init__(self, index: Mapping[str, Any], path: AnyPath) -> None:
        self.path = path
        self.encoder = index["encoder"]
        self.source = index["source"]
        self.versions, self.created = index["versions"], index["created"]
        self.extraction: dict[str, Any] = {}
        self._index, self._files = index, index["stores"]
        self.lengths = [int(one["rows"]) for one in self._files]
        self.fingerprint = _together([str(one["fingerprint"]) for one in self._files])
        self._n, self._dim = sum(self.lengths), int(index["dim"])
        self.partition = lru_cache(_OPEN_AT_ONCE)(self._opened)

    def __repr__(self) -> str:
        files = f"in {len(self.lengths):,} files, {self.encoder_name}"
        return f"FeatureStore({str(self.path)!r}: {len(self):,} × {self.dim} {files})"

    def close(self) -> None:
        """Let go of the files; vectors that were handed out stay readable."""
        self.partition.cache_clear()

    @property
    def has_trunk(self) -> bool:
        """Whether the vectors before the projection are kept too."""
        return self._index["trunk"] is not None

    @property
    def trunk_is_image(self) -> bool:
        """Whether the encoder projects nothing, so that both are the same vectors."""
        return bool(self._index["trunk_is_image"])

    @property
    def classes(self) -> list[str]:
        """Names of the classes of all files, sorted."""
        return list(self._index["classes"])

    @cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,) into `classes`, -1 for none."""
        return np.concatenate([self._labels_of(store) for store in self._stores()])

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""
        return np.concatenate([store.splits for store in self._stores()])

    @cached_property
    def paths(self) -> list[str]:
        """Path of each picture: absolute where the files have not all the same source."""
        if self.source["root"] is not None:
            return self._texts("rows/path")
        return [_absolute(store.source["root"], p) for store in self._stores() for p in store.paths]

    @cached_property
    def groups(self) -> list[str]:
        """Group of each row; "" for none."""
        return [group for store in self._stores() for group in store.groups]

    @property
    def history(self) -> tuple[Edit, ...]:
        """Nothing: edits are made in the files."""
        return ()

    @property
    def dropped(self) -> None:
        """Nothing, for the same reason."""
        return

    @property
    def text_keys(self) -> list[str]:
        """Names of the prompt sets that all files have text vectors for."""
        return list(self._index["text_keys"])

    def text(self, key: str) -> TextVectors:
        """Give the text vectors of a prompt set, each class from a file that has it."""
        if key not in self.text_keys:
            raise InputError(f"{str(self.path)!r} has no text vectors {key!r} in all its files")
        found: dict[str, tuple[npt.NDArray[np.float32], str]] = {}
        for store in self._stores():
            text = store.text(key)
            for name, vector, spoken in zip(store.classes, text.features, text.names, strict=True):
                found.setdefault(name, (vector, spoken))
        vectors, names = zip(*(found[name] for name in self.classes), strict=True)
        return TextVectors(np.stack(vectors), names, text.templates, text.logit_scale)

    def verify(self) -> list[Damage]:
        """Compare all that is in the files with the checksums they were written with."""
        found: list[Damage] = []
        start = 0
        for store in self._stores():
            for one in store.verify():
                shift = start if one.dataset.startswith(("features/", "rows/")) else 0
                found.append(Damage(one.dataset, one.first + shift, one.last + shift))
            start += len(store)
        return found

    def _opened(self, number: int) -> FeatureStore:
        """Open one of the files; refuse it where it is not the one that was listed."""
        listed = self._files[number]
        store = FeatureStore.open(_place(self.path, listed["path"]))
        if store.fingerprint != listed["fingerprint"]:
            raise StoreIntegrityError(
                f"{str(store.path)!r} was written since {str(self.path)!r} listed it: "
                "'fishembed merge' lists its files again"
            )
        return store

    def _stores(self) -> Iterator[FeatureStore]:
        return map(self.partition, range(len(self.lengths)))

    def _labels_of(self, store: FeatureStore) -> npt.NDArray[np.int32]:
        number = {name: i for i, name in enumerate(self.classes)}
        known = np.array([*(number[name] for name in store.classes), -1], np.int32)
        return known[store.labels]

    def _vector_map(self, name: str) -> Any:
        """Give a matrix that is read where it is looked at, in place of a memory map."""
        width = self.dim if name == IMAGE else int(self._index["trunk"])

        def matrix(number: int) -> Matrix:
            store = self.partition(number)
            if isinstance(store, PartitionedStore):
                return store.features if name == IMAGE else store.trunk
            return plain_rows(store._vectors[name])

        return Concatenated(self.lengths, matrix, width, self._index["dtype"])

    def _read(self, name: str) -> npt.NDArray[Any]:
        return np.concatenate([store._read(name) for store in self._stores()])

    def _texts(self, name: str) -> list[str]:
        return [text for store in self._stores() for text in store._texts(name)]


def make_index(path: AnyPath, places: Sequence[AnyPath]) -> dict[str, Any]:
    """Describe stores so that they can be opened as one.

    Parameters
    ----------
    path
        Where the index will lie.
    places
        The stores in their order.

    Raises
    ------
    StoreMismatchError
        When their vectors come from different encoders or have different types.
    """
    index: dict[str, Any] = {}
    classes: set[str] = set()
    keys: list[set[str]] = []
    files = []
    for place in places:
        with FeatureStore.open(place) as store:
            said = _said(store)
            _check(index or said, said, places[0], place)
            root = store.source.get("root")
            index = index or {**said, "source": {"root": root}, "encoder": store.encoder}
            if index["source"]["root"] != root:
                index["source"]["root"] = None
            classes.update(store.classes)
            keys.append(set(store.text_keys))
            name, length = _named(path, place), len(store)
            files.append({"path": name, "rows": length, "fingerprint": store.fingerprint})
    index["source"]["layout"] = f"{len(files):,} stores"
    return {
        "format": INDEX_FORMAT,
        "schema": INDEX_SCHEMA,
        "created": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "versions": {"fishembed": __version__},
        **index,
        "classes": sorted(classes),
        "text_keys": sorted(set.intersection(*keys)),
        "stores": files,
    }


def write_index(path: AnyPath, index: Mapping[str, Any]) -> None:
    """Write an index whole, or leave what was there."""
    if is_remote(path):
        with uploaded_file(path) as local:
            write_index(local, index)
        return
    with write_errors(path):
        write_text(path, json.dumps(index, indent=1) + "\n")


def open_index(path: AnyPath) -> PartitionedStore:
    """Open stores as one; see `FeatureStore.open`."""
    try:
        index = json.loads(local_copy(path).read_text(encoding="utf-8"))
    except ValueError as error:
        raise StoreFormatError(f"{str(path)!r} is no index of stores: {error}") from error
    if not isinstance(index, dict) or index.get("format") != INDEX_FORMAT:
        raise StoreFormatError(f"{str(path)!r} is JSON but no index that 'fishembed merge' wrote")
    if index["schema"] > INDEX_SCHEMA:
        raise StoreFormatError(
            f"{str(path)!r} has schema {index['schema']}; this version reads up to "
            f"{INDEX_SCHEMA}: pip install -U fishembed"
        )
    try:
        return PartitionedStore(index, path)
    except (KeyError, TypeError, ValueError) as error:
        raise StoreFormatError(f"{str(path)!r} is damaged: {error!r}") from error


def _said(store: FeatureStore) -> dict[str, Any]:
    return {
        "dim": store.dim,
        "dtype": str(store.features.dtype),
        "trunk": int(store.trunk.shape[1]) if store.has_trunk else None,
        "trunk_is_image": store.trunk_is_image,
        "fingerprint": store.encoder_fingerprint,
    }


def _check(first: Mapping[str, Any], other: Mapping[str, Any], a: AnyPath, b: AnyPath) -> None:
    for name, value in other.items():
        if first[name] != value:
            what = "encoder" if name == "fingerprint" else name
            raise StoreMismatchError(
                f"{str(a)!r} and {str(b)!r} differ in {what} ({first[name]} and {value}): one "
                "store holds vectors of one encoder and type"
            )


def _named(index: AnyPath, place: AnyPath) -> str:
    """Name a store in an index: relative where both lie on one file system."""
    if is_remote(place) or is_remote(index):
        folder = f"{index.parent}/"
        return str(place).removeprefix(folder) if is_remote(place) else str(place.absolute())
    return Path(os.path.relpath(place.absolute(), index.absolute().parent)).as_posix()


def _place(index: AnyPath, name: str) -> AnyPath:
    return to_path(name) if is_url(name) or name.startswith("/") else index.parent / name


def _absolute(root: str | None, path: str) -> str:
    return path if root is None else f"{root.rstrip('/')}/{path}" if path[:1] != "/" else path


def _together(prints: Sequence[str]) -> str:
    return hashlib.sha256("|".join(prints).encode()).hexdigest()[:16]
