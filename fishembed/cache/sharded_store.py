"""One store over many files: a small index that names them in their order.

The index is JSON and holds what is needed without opening a file: each one's number of rows and
fingerprint, the encoder, the classes. HDF5's virtual data sets could put the features together
too, but they return zeros for a file that is missing, cannot be mapped into memory, and know no
URLs.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.bounded_reading import read_file
from fishembed._base.files import write_text
from fishembed._base.paths import Place, is_remote, is_url, to_path, without_secrets
from fishembed._base.remote_files import ANYTHING, FETCH, uploaded_file
from fishembed._version import __version__
from fishembed.cache.hdf5_files import first_bytes, store_write_errors
from fishembed.cache.hdf5_store import Hdf5Store
from fishembed.cache.lazy_rows import Matrix, StackedRows
from fishembed.cache.rows import Column, stacked_metadata
from fishembed.cache.schema import TextFeatures, box_cut_text
from fishembed.cache.store import FeatureKind, Store
from fishembed.cache.validation import Damage
from fishembed.errors import (
    FishembedError,
    InputError,
    NotFetchedError,
    StoreFormatError,
    StoreIntegrityError,
    StoreMismatchError,
)

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

INDEX_SUFFIX = ".json"
"""Ending of the names that verbs write an index to. An index is recognised by its content."""

INDEX_FORMAT = "fishembed-index"
INDEX_SCHEMA = 1
CHECKSUM = "checksum"

_OPEN_AT_ONCE = 64


class ShardedStore(Store):
    """Several stores of one encoder as one, their rows one below the other.

    What the index (see `make_index`) names is relative to its folder, or a URL; `open_shard` opens
    one of these stores, which may be an index itself.
    """

    def __init__(
        self, index: Mapping[str, Any], path: AnyPath, open_shard: Callable[[AnyPath], Store]
    ) -> None:
        self._index, self._files = index, index["stores"]
        self._lengths = [int(one["rows"]) for one in self._files]
        super().__init__(
            path,
            sum(self._lengths),
            encoder=index["encoder"],
            source=index["source"],
            fingerprint=_hash_all([str(one["fingerprint"]) for one in self._files]),
            has_trunk=index["trunk"] is not None,
            trunk_is_image=bool(index["trunk_is_image"]),
        )
        self.versions, self.created = index["versions"], index["created"]
        self._dim = int(index["dim"])
        self._open_shard = open_shard
        self._checked: dict[int, set[str]] = {}
        self.shard = lru_cache(_OPEN_AT_ONCE)(self._opened)

    def __repr__(self) -> str:
        if self._closed:
            return super().__repr__()
        files = f"in {len(self._files):,} files, {self.encoder_name}"
        return f"FeatureStore({str(self.path)!r}: {len(self):,} × {self.dim} {files})"

    def close(self) -> None:
        """Close the files; arrays that were handed out stay readable."""
        if not self._closed:
            self.shard.cache_clear()
        self._closed = True

    def files(self) -> Iterator[AnyPath]:
        """Yield the paths of the index and of all files it names."""
        yield self.path
        for shard in self._shards():
            yield from shard.files()

    def _feature_rows(self, which: FeatureKind) -> Matrix:
        width = self._dim if which == "image" else int(self._index["trunk"])
        shard = self.shard  # returned rows are readable after this store is closed

        def matrix(number: int) -> Matrix:
            return shard(number).feature_rows(which)

        return StackedRows(self._lengths, matrix, width, self._index["dtype"])

    def _classes(self) -> list[str]:
        return list(self._index["classes"])

    def _skipped(self) -> list[tuple[str, str]]:
        return [one for shard in self._shards() for one in shard.skipped]

    def _text_keys(self) -> list[str]:
        return list(self._index["text_keys"])

    def _text(self, key: str) -> TextFeatures:
        if key not in self.text_keys:
            raise InputError(f"{str(self.path)!r} has no text features {key!r} in all its files")
        found: dict[str, tuple[npt.NDArray[np.float32], str]] = {}
        for shard in self._shards():
            text = shard.text(key)
            for name, row, spoken in zip(shard.classes, text.features, text.names, strict=True):
                found.setdefault(name, (row, spoken))
        rows, names = zip(*(found[name] for name in self.classes), strict=True)
        return TextFeatures(np.stack(rows), names, text.templates, text.logit_scale)

    def _verify(self) -> list[Damage]:
        found: list[Damage] = []
        start = 0
        for shard in self._shards():
            for one in shard.verify():
                shift = start if one.dataset.startswith(("features/", "rows/", "metadata/")) else 0
                found.append(Damage(one.dataset, one.first + shift, one.last + shift))
            start += len(shard)
        return found

    def column(self, name: str) -> Any:
        """Return a column of all files; paths are absolute where the files have other roots."""
        columns = [self._shard_column(shard, name) for shard in self._shards()]
        if isinstance(columns[0], np.ndarray):
            return np.concatenate(columns)
        return [text for column in columns for text in column]

    def _metadata(self) -> Mapping[str, Column]:
        return stacked_metadata((len(shard), shard.metadata) for shard in self._shards())

    def _shard_column(self, shard: Store, name: str) -> Any:
        column = shard.column(name)
        if name == "label":
            number = {label: i for i, label in enumerate(self.classes)}
            try:
                return np.array([*(number[label] for label in shard.classes), -1], np.int32)[column]
            except (IndexError, KeyError) as error:  # read without comparing checksums
                raise StoreIntegrityError(
                    f"{str(shard.path)!r} is damaged: it has labels of no class ({error})"
                ) from error
        if name == "path" and self.source["root"] is None:
            return [_absolute(shard.source["root"], path) for path in column]
        return column

    def _opened(self, number: int) -> Store:
        """Open one of the files; refuse it where it is not the one that was listed."""
        listed = self._files[number]
        shard = self._open_shard(_path_of(self.path, listed["path"]))
        if isinstance(shard, Hdf5Store):  # opened again, it is the same: nothing is checked twice
            shard.checked = self._checked.setdefault(number, shard.checked)
        layout = (int(listed["rows"]), self._dim), self._index["dtype"]
        if shard.fingerprint != listed["fingerprint"] or shard.layout() != layout:
            raise StoreIntegrityError(
                f"{str(shard.path)!r} was written since {str(self.path)!r} listed it: "
                "'fishembed merge' lists its files again"
            )
        return shard

    def _shards(self) -> Iterator[Store]:
        return map(self.shard, range(len(self._files)))


def make_index(path: AnyPath, stores: Iterable[Store]) -> dict[str, Any]:
    """Describe stores so that they can be opened as one by an index that will lie at `path`.

    They are read one at a time, so that each may be closed before the next.
    `StoreMismatchError` when features come from different encoders or have different types.
    """
    index: dict[str, Any] = {}
    classes: set[str] = set()
    keys: list[set[str]] = []
    files: list[dict[str, Any]] = []
    first = None
    for store in stores:
        layout = _layout(store)
        first = first or store.path
        _check_layout(index or layout, layout, first, store.path)
        root = store.source.get("root")
        index = index or {**layout, "source": {"root": root}, "encoder": store.encoder}
        if index["source"]["root"] != root:
            index["source"]["root"] = None
        _check_cut(index["source"], store, first)
        classes.update(store.classes)
        keys.append(set(store.text_keys))
        name, length = _name_in(path, store.path), len(store)
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


def write_index(path: AnyPath, index: Mapping[str, Any], *, replaces: str = ANYTHING) -> None:
    """Write an index whole, or leave the old one; `replaces` is as in `write_store`."""
    text = json.dumps({**index, CHECKSUM: _checksum(index)}, indent=1) + "\n"
    with store_write_errors(path):
        if is_remote(path):
            with uploaded_file(path, replaces=replaces) as local:
                local.write_text(text, encoding="utf-8")
        else:
            write_text(path, text)


def starts_index(start: bytes) -> bool:
    """Return whether a file with these first bytes is an index of stores."""
    return start.lstrip().startswith(b"{") and INDEX_FORMAT.encode() in start


def is_index(path: AnyPath) -> bool:
    """Return whether a file is an index of stores, by its first bytes."""
    try:
        return starts_index(first_bytes(path))
    except (FishembedError, OSError):
        return False


def read_index(local: Path, path: AnyPath) -> dict[str, Any]:
    """Read an index from a file of this machine; `path` is its name in errors.

    `StoreFormatError` when it is no index, or of a newer schema; `StoreIntegrityError` when it is
    not as it was written.
    """
    try:
        index = json.loads(read_file(local))
    except (OSError, ValueError, RecursionError) as error:
        raise StoreFormatError(f"{str(path)!r} is no index of stores: {error}") from error
    if not isinstance(index, dict) or index.get("format") != INDEX_FORMAT:
        raise StoreFormatError(f"{str(path)!r} is JSON but no index that 'fishembed merge' wrote")
    if index["schema"] > INDEX_SCHEMA:
        raise StoreFormatError(
            f"{str(path)!r} has schema {index['schema']}; this version reads up to "
            f"{INDEX_SCHEMA}: pip install -U fishembed"
        )
    checksum = index.pop(CHECKSUM, None)  # 0.1.0 wrote none
    if checksum is not None and checksum != _checksum(index):
        raise StoreIntegrityError(
            f"{str(path)!r} is not as it was written: 'fishembed merge' lists its files again"
        )
    index["source"] = without_secrets(index["source"])
    return index


def _checksum(index: Mapping[str, Any]) -> str:
    """Return the SHA-256 of an index's content, whatever its layout as text."""
    return hashlib.sha256(json.dumps(index, sort_keys=True).encode()).hexdigest()


def _layout(store: Store) -> dict[str, Any]:
    return {
        "dim": store.dim,
        "dtype": str(store.features.dtype),
        "trunk": store.width("trunk") if store.has_trunk else None,
        "trunk_is_image": store.trunk_is_image,
        "fingerprint": store.encoder_fingerprint,
    }


def _check_layout(
    first: Mapping[str, Any], other: Mapping[str, Any], a: AnyPath, b: AnyPath
) -> None:
    for name, value in other.items():
        if first[name] != value:
            what = "encoder" if name == "fingerprint" else name
            raise StoreMismatchError(
                f"{str(a)!r} and {str(b)!r} differ in {what} ({first[name]} and {value}): one "
                "store holds features of one encoder and type"
            )


def _check_cut(source: dict[str, Any], store: Store, first: AnyPath) -> None:
    """Note in an index's source how boxes are cut; refuse those that are cut in two ways."""
    own = store.source.get("boxes")
    if own is None:
        return
    known = source.setdefault("boxes", own)
    if known != own:
        raise StoreMismatchError(
            f"{str(first)!r} and {str(store.path)!r} hold boxes that were cut with "
            f"{box_cut_text(known)} and {box_cut_text(own)}: extract one of them again"
        )


def _name_in(index: AnyPath, path: AnyPath) -> str:
    """Return how an index names a store: relative where both lie on one file system."""
    if is_remote(path) or is_remote(index):
        folder = f"{index.parent}/"
        return str(path).removeprefix(folder) if is_remote(path) else str(path.absolute())
    return Path(os.path.relpath(path.absolute(), index.absolute().parent)).as_posix()


def _path_of(index: AnyPath, name: str) -> AnyPath:
    if is_url(name) and not is_remote(index) and not os.environ.get(FETCH):
        raise NotFetchedError(
            f"{str(index)!r} names {Place(name)!r}, which lies elsewhere: set {FETCH}=1 where you "
            "trust it"
        )
    return to_path(name) if is_url(name) or name.startswith("/") else index.parent / name


def _absolute(root: str | None, path: str) -> str:
    return path if root is None else f"{root.rstrip('/')}/{path}" if path[:1] != "/" else path


def _hash_all(fingerprints: Sequence[str]) -> str:
    return hashlib.sha256("|".join(fingerprints).encode()).hexdigest()[:16]
