"""Writing of a store: by one process at a time, beside its place, then moved in whole."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import socket
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.files import check_replaceable, real_path, remove_stale, try_lock
from fishembed._base.paths import is_remote, places_of, scrub, to_path, without_secrets
from fishembed._base.remote_files import ANYTHING, remote_state, staging_path
from fishembed._version import __version__
from fishembed.cache.edit_history import (
    DROPPED,
    DROPPED_ARRAYS,
    DROPPED_TEXTS,
    Dropped,
    history_texts,
)
from fishembed.cache.hdf5_files import atomic_hdf5, store_write_errors
from fishembed.cache.lazy_rows import Matrix
from fishembed.cache.rows import (
    OPTIONAL_ARRAYS,
    Column,
    Rows,
    as_text,
    dataset_name,
    is_known,
    is_number,
)
from fishembed.cache.schema import (
    ATTRIBUTES,
    CHECKED_ROWS,
    CHECKSUMS,
    FORMAT,
    IMAGE,
    METADATA,
    METADATA_NAMES,
    SCHEMA,
    TEXT,
    TRUNK,
    StoreHeader,
    TextFeatures,
    encode_attribute,
    encode_texts,
)
from fishembed.cache.sharded_store import INDEX_SUFFIX, is_index
from fishembed.cache.validation import attributes_checksum, block_checksums
from fishembed.errors import (
    DimensionError,
    InputError,
    StoreIntegrityError,
    StoreLockedError,
    StoreWriteError,
)

if TYPE_CHECKING:
    from upath import UPath

BLOCK = 64 * CHECKED_ROWS
"""Rows that are written at once: a multiple of those that share a checksum."""


def write_store(
    path: str | Path | UPath,
    header: StoreHeader,
    rows: Rows,
    features: Matrix,
    *,
    trunk: Matrix | Literal["image"] | None = None,
    dtype: npt.DTypeLike = np.float32,
    replaces: str = ANYTHING,
) -> None:
    """Write a store whole, or leave the old one.

    Parameters
    ----------
    path
        Where the store shall lie; its folder exists. To a URL it is uploaded whole.
    header, rows
        Everything but the features.
    features
        (n, dim): an array, or rows that are read or computed in blocks when asked for, so that
        a store may be larger than memory.
    trunk
        (n, width), the features before the projection; "image" where they are the image
        features themselves, which then are stored once.
    dtype
        float32 or float16 on disk.
    replaces
        What `store_lock` yielded: a store at a URL is written only where that is there still.

    Raises
    ------
    RemoteError
        When another machine has written a store at a URL meanwhile; it is left as it is.
    StoreIntegrityError
        When an embedding is not finite; names its image.
    StoreWriteError
        When the disk is full or the place not writable.
    """
    with atomic_hdf5(to_path(path), replaces=replaces) as file:
        checksums = _write_features(file, IMAGE, rows, features, np.dtype(dtype))
        if isinstance(trunk, str):
            file[TRUNK] = file[IMAGE]
        elif trunk is not None:
            more = _write_features(file, TRUNK, rows, trunk, np.dtype(dtype))
            checksums = np.concatenate([checksums, more])
        _write_rows(file, rows)
        _write_header(file, header)
        _write_attributes(file, fingerprint=_fingerprint(header, rows, checksums))
        file[CHECKSUMS].attrs[ATTRIBUTES] = attributes_checksum(file.attrs)


def _write_features(
    file: h5py.File, name: str, rows: Rows, features: Matrix, dtype: np.dtype[np.generic]
) -> npt.NDArray[np.uint32]:
    n, dim = features.shape
    if n != len(rows):
        raise DimensionError(f"{n} embeddings for {len(rows)} rows")
    dataset = file.create_dataset(name, (len(rows), dim), dtype)
    sums = []
    for start, block in _blocks(rows, features, dtype):
        dataset[start : start + len(block)] = block
        sums.append(block_checksums(block))
    checksums = np.concatenate(sums) if sums else np.zeros(0, np.uint32)
    _write_checksums(file, name, checksums)
    return checksums


def _blocks(
    rows: Rows, features: Matrix, dtype: np.dtype[np.generic]
) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(features[start:stop], dtype)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            culprit = rows.path[start + int(np.argmin(finite))]
            raise StoreIntegrityError(
                f"the embedding of {culprit!r} is not finite as {dtype}: nothing was written"
            )
        yield start, block


def _write_rows(file: h5py.File, rows: Rows) -> None:
    for name in ("path", "digest", "split", "group"):
        column = getattr(rows, name)
        if name != "group" or any(column):
            _write_texts(file, f"rows/{name}", column)
    for name, numeric in (("size", np.int64), ("mtime_ns", np.int64), ("label", np.int32)):
        _write(file, f"rows/{name}", np.asarray(getattr(rows, name), numeric))
    for name, one in OPTIONAL_ARRAYS.items():
        if is_known(getattr(rows, name)):
            _write(file, f"rows/{name}", np.asarray(getattr(rows, name), one.dtype))
    _write_metadata(file, "", rows.metadata)


def _write_metadata(file: h5py.File, prefix: str, columns: Mapping[str, Column]) -> None:
    """Write metadata columns and, since a file has its names sorted, their order."""
    for name, column in columns.items():
        place = f"{prefix}{METADATA}/{dataset_name(name)}"
        if is_number(column):
            _write(file, place, np.asarray(column, np.float64))
        elif column.dtype == object:
            raw = [text.encode("utf-8", "surrogateescape") for text in column.tolist()]
            _write(file, f"{place}/bytes", np.frombuffer(b"".join(raw), np.uint8))
            _write(file, f"{place}/end", np.cumsum([len(text) for text in raw], dtype=np.int64))
        else:
            _write_texts(file, place, column.tolist())
    if columns:
        _write_texts(file, f"{prefix}{METADATA_NAMES}", list(columns))


def _write_header(file: h5py.File, header: StoreHeader) -> None:
    versions = {
        "fishembed": __version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "h5py": h5py.__version__,
    }
    file.attrs["schema"] = SCHEMA
    _write_attributes(
        file,
        format=FORMAT,
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        encoder=json.dumps(dict(header.encoder)),
        source=json.dumps(without_secrets(dict(header.source))),
        versions=json.dumps(versions),
        extraction=json.dumps(dict(header.extraction)),
    )
    _write_texts(file, "classes", header.classes)
    _write_texts(file, "skipped/path", places_of([path for path, _ in header.skipped]))
    _write_texts(file, "skipped/reason", [scrub(why) for _, why in header.skipped])
    for key, text in header.text.items():
        _write_text_features(file, f"{TEXT}/{key}", text)
    for name, texts in history_texts(header.history).items():
        _write(file, name, encode_texts(texts), compression="gzip")
    if header.dropped is not None:
        _write_dropped(file, header.dropped)


def _write_dropped(file: h5py.File, dropped: Dropped) -> None:
    for name in DROPPED_TEXTS:
        _write_texts(file, f"{DROPPED}/{name}", getattr(dropped, name))
    for name in DROPPED_ARRAYS:
        array = getattr(dropped, name)
        if array is not None and (name not in OPTIONAL_ARRAYS or is_known(array)):
            _write(file, f"{DROPPED}/{name}", array)
    _write_metadata(file, f"{DROPPED}/", dropped.metadata)


def _write_text_features(file: h5py.File, name: str, text: TextFeatures) -> None:
    _write(file, f"{name}/features", np.asarray(text.features, np.float32))
    _write_texts(file, f"{name}/names", text.names)
    _write_texts(file, f"{name}/templates", text.templates)
    file[name].attrs["logit_scale"] = text.logit_scale
    if text.tower:
        _write_attributes(file[name], tower=text.tower)


def _write_texts(file: h5py.File, name: str, texts: Sequence[str]) -> None:
    _write(file, name, encode_texts(texts))


def _write(
    file: h5py.File, name: str, array: npt.NDArray[np.generic], compression: str | None = None
) -> None:
    file.create_dataset(name, data=array, compression=compression)
    _write_checksums(file, name, block_checksums(array))


def _write_attributes(group: h5py.Group, **texts: str) -> None:
    for name, text in texts.items():
        group.attrs[name] = encode_attribute(text)


def _write_checksums(file: h5py.File, name: str, checksums: npt.NDArray[np.uint32]) -> None:
    group = file.require_group(CHECKSUMS)
    _write_attributes(group, kind="crc32")
    group.attrs["rows"] = CHECKED_ROWS
    group.create_dataset(name, data=checksums)


def _fingerprint(header: StoreHeader, rows: Rows, checksums: npt.NDArray[np.uint32]) -> str:
    """Return 16 hex digits over everything an experiment's result depends on."""
    digest = hashlib.sha256(str(header.encoder.get("fingerprint", "")).encode())
    for column in (rows.path, rows.digest, rows.split, rows.group, header.classes):
        raw = [text.encode("utf-8", "surrogateescape") for text in column]
        digest.update(b"\0\0".join(raw) + b"\1")
    digest.update(np.asarray(rows.label, "<i4").tobytes())
    for name in OPTIONAL_ARRAYS:  # where they are empty, the fingerprint is that of schema 1
        if is_known(column := getattr(rows, name)):
            digest.update(name.encode() + np.ascontiguousarray(column).tobytes())
    for name, cells in rows.metadata.items():
        digest.update("\0".join([name, *as_text(cells)]).encode("utf-8", "surrogateescape"))
    digest.update(checksums.astype("<u4").tobytes())
    for key in sorted(header.text):
        digest.update(key.encode() + np.asarray(header.text[key].features, "<f4").tobytes())
    return digest.hexdigest()[:16]


@contextmanager
def store_lock(store: str | Path | UPath) -> Iterator[str]:
    """Hold the right to write a store; readers need none and are never disturbed.

    A store at a URL is locked among the processes of this machine only: object stores have no
    locks. So the lock yields the current state there, for `write_store` to replace that and
    nothing that another machine has written since.

    The operating system releases the lock when its process ends, however it ends. What a dead
    process was writing is removed.

    Yields
    ------
    str
        Value for `replaces` of `write_store`.

    Raises
    ------
    InputError
        When a folder, a device or a pipe lies there, or an index over several stores.
    StoreLockedError
        When another process holds it; the message names which.
    StoreWriteError
        When the folder cannot be made or written, its disk has no locks, or the store was
        made read-only.
    """
    target = to_path(store)
    if target.suffix == INDEX_SUFFIX or is_index(target):
        raise InputError(
            f"{str(store)!r} is an index over several stores: write to one of them, or give "
            "another --store, and let 'fishembed merge' list them"
        )
    place = real_path(staging_path(target))
    if os.path.isdir(place):  # noqa: PTH112 - it never raises
        raise InputError(f"{str(store)!r} is a folder: name a file in it, such as 'fish.h5'")
    if os.path.exists(place) and not os.path.isfile(place):  # noqa: PTH110, PTH113 - as above
        raise InputError(f"{str(store)!r} is a device or a pipe: give another --store")
    with store_write_errors(place):
        place.parent.mkdir(parents=True, exist_ok=True)
        check_replaceable(place)
        handle = _open_lock(place.with_name(f".{place.name}.lock"))
    try:
        _acquire(handle, store)
        _write_holder(handle)
        remove_stale(place.parent, place.name)
        yield remote_state(target) if is_remote(target) else ANYTHING
    finally:
        os.close(handle)


def _open_lock(file: Path) -> int:
    if file.is_symlink():
        raise StoreWriteError(f"{str(file)!r} is a link where a lock should be: remove it")
    return os.open(file, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)


def _acquire(handle: int, store: object) -> None:
    try:
        held = try_lock(handle)
    except OSError as error:
        raise StoreWriteError(
            f"the disk of {str(store)!r} has no file locks ({error.strerror or error}), so that "
            "two processes could write at once: give a --store on another disk"
        ) from error
    if not held:
        raise StoreLockedError(
            f"{str(store)!r} is being written by {_read_holder(handle)}: wait for it to end, or "
            "give another --store"
        )


def _write_holder(handle: int) -> None:
    """Write the process's name into the lock file; on a full disk the lock holds without it."""
    with suppress(OSError):
        os.ftruncate(handle, 0)
        os.lseek(handle, 0, os.SEEK_SET)
        os.write(handle, f"process {os.getpid()} on {socket.gethostname()}".encode())


def _read_holder(handle: int) -> str:
    with suppress(OSError):
        os.lseek(handle, 0, os.SEEK_SET)
        return os.read(handle, 200).decode("utf-8", "replace") or "another process"
    return "another process"
