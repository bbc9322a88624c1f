"""Writing a store: built beside its place, moved in whole."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterable
from datetime import datetime, timezone
from pathlib import Path

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._version import __version__
from fishembed.cache.checksums import block_checksums
from fishembed.cache.files import whole_file
from fishembed.cache.schema import (
    CHECKED_ROWS,
    CHECKSUMS,
    FORMAT,
    HEX64,
    IMAGE,
    SCHEMA,
    SPLIT,
    TEXT,
    UTF8,
    Rows,
    StoreHead,
    TextVectors,
    encode_utf8,
)
from fishembed.errors import DimensionError, StoreIntegrityError

BLOCK = 64 * CHECKED_ROWS
"""Rows that are written at once; a multiple of what shares a checksum."""

Gather = Callable[[int, int], npt.NDArray[np.generic]]


def write_store(
    path: str | Path,
    head: StoreHead,
    rows: Rows,
    vectors: Gather | npt.NDArray[np.generic],
    *,
    dim: int | None = None,
    dtype: npt.DTypeLike = np.float32,
) -> None:
    """Write a store whole, or leave what was there.

    Parameters
    ----------
    path
        Where the store shall lie; its folder exists.
    head, rows
        What it says.
    vectors
        (n, dim) array, or a function that gives the vectors of rows start to stop, asked
        in order, so that a store may be larger than memory.
    dim
        Length of a vector, needed with a function.
    dtype
        float32 or float16 on disk.

    Raises
    ------
    StoreIntegrityError
        When a vector is not finite; names its picture.
    StoreWriteError
        When the disk is full or the place not writable.
    """
    if callable(vectors):
        gather = vectors
    else:
        gather, dim = (lambda start, stop: vectors[start:stop]), vectors.shape[1]
        if len(vectors) != len(rows):
            raise DimensionError(f"{len(vectors)} vectors for {len(rows)} rows")
    if dim is None:
        raise DimensionError("dim is needed where vectors are given by a function")
    with whole_file(Path(path)) as file:
        checksums = _write_vectors(file, rows, gather, dim, np.dtype(dtype))
        _write_rows(file, rows)
        _write_head(file, head)
        file.attrs["fingerprint"] = _fingerprint(head, rows, checksums)


def _write_vectors(
    file: h5py.File, rows: Rows, gather: Gather, dim: int, dtype: np.dtype[np.generic]
) -> npt.NDArray[np.uint32]:
    dataset = file.create_dataset(IMAGE, (len(rows), dim), dtype)
    sums = []
    for start in range(0, len(rows), BLOCK):
        block = np.ascontiguousarray(gather(start, min(start + BLOCK, len(rows))), dtype)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            culprit = rows.path[start + int(np.argmin(finite))]
            raise StoreIntegrityError(
                f"the vector of {culprit!r} is not finite as {dtype}: nothing was written"
            )
        dataset[start : start + len(block)] = block
        sums.append(block_checksums(block))
    checksums = np.concatenate(sums) if sums else np.zeros(0, np.uint32)
    stored = file.create_dataset(f"{CHECKSUMS}/image", data=checksums)
    stored.attrs["rows"] = CHECKED_ROWS
    stored.attrs["kind"] = "crc32"
    return checksums


def _write_rows(file: h5py.File, rows: Rows) -> None:
    group = file.create_group("rows")
    texts = (("path", UTF8), ("digest", HEX64), ("split", SPLIT), ("group", UTF8))
    for name, dtype in texts:
        column = getattr(rows, name)
        if name != "group" or any(column):
            _write_texts(group, name, column, dtype)
    for name, numeric in (("size", np.int64), ("mtime_ns", np.int64), ("label", np.int32)):
        group.create_dataset(name, data=np.asarray(getattr(rows, name), numeric))


def _write_head(file: h5py.File, head: StoreHead) -> None:
    file.attrs["format"] = FORMAT
    file.attrs["schema"] = SCHEMA
    file.attrs["created"] = datetime.now(timezone.utc).isoformat(timespec="seconds")
    file.attrs["encoder"] = json.dumps(dict(head.encoder))
    file.attrs["source"] = json.dumps(dict(head.source))
    file.attrs["versions"] = json.dumps(
        {
            "fishembed": __version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "h5py": h5py.__version__,
        }
    )
    _write_texts(file, "classes", head.classes)
    skipped = file.create_group("skipped")
    _write_texts(skipped, "path", [path for path, _ in head.skipped])
    _write_texts(skipped, "reason", [reason for _, reason in head.skipped])
    for key, text in head.text.items():
        _write_text_vectors(file.require_group(TEXT).create_group(key), text)


def _write_text_vectors(group: h5py.Group, text: TextVectors) -> None:
    group.create_dataset("features", data=np.asarray(text.features, np.float32))
    _write_texts(group, "names", text.names)
    _write_texts(group, "templates", text.templates)
    group.attrs["logit_scale"] = text.logit_scale


def _write_texts(
    group: h5py.Group, name: str, texts: Iterable[str], dtype: npt.DTypeLike = UTF8
) -> None:
    raw = encode_utf8(list(texts))
    data = np.array(raw, dtype=object) if dtype is UTF8 else np.array(raw, dtype)
    group.create_dataset(name, (len(raw),), dtype, data=data)


def _fingerprint(head: StoreHead, rows: Rows, checksums: npt.NDArray[np.uint32]) -> str:
    """Give 16 hex digits over everything an experiment's result depends on."""
    digest = hashlib.sha256(str(head.encoder.get("fingerprint", "")).encode())
    for column in (rows.path, rows.digest, rows.split, rows.group, head.classes):
        digest.update(b"\0\0".join(encode_utf8(list(column))) + b"\1")
    digest.update(np.asarray(rows.label, "<i4").tobytes())
    digest.update(checksums.astype("<u4").tobytes())
    for key in sorted(head.text):
        digest.update(key.encode() + np.asarray(head.text[key].features, "<f4").tobytes())
    return digest.hexdigest()[:16]
