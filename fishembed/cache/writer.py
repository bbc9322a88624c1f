"""Writing a store: built beside its place, moved in whole."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.paths import to_path
from fishembed._version import __version__
from fishembed.cache.checksums import attributes_checksum, block_checksums
from fishembed.cache.files import whole_file
from fishembed.cache.history import Dropped, dropped_columns, history_texts
from fishembed.cache.schema import (
    ATTRIBUTES,
    CHECKED_ROWS,
    CHECKSUMS,
    FORMAT,
    IMAGE,
    SCHEMA,
    TEXT,
    TRUNK,
    Rows,
    StoreHead,
    TextVectors,
    encode_attribute,
    encode_texts,
)
from fishembed.errors import DimensionError, StoreIntegrityError

if TYPE_CHECKING:
    from upath import UPath

BLOCK = 64 * CHECKED_ROWS
"""Rows that are written at once; a multiple of what shares a checksum."""


_FLOAT32 = np.dtype(np.float32)


@dataclass(frozen=True)
class Gathered:
    """Vectors that need not be in memory at once.

    Attributes
    ----------
    gather
        Gives the vectors of rows start to stop; asked in order.
    n, dim
        Number of rows, and length of a vector.
    dtype
        Of what is gathered.
    """

    gather: Callable[[int, int], npt.NDArray[np.generic]]
    n: int
    dim: int
    dtype: np.dtype[np.generic] = _FLOAT32

    @property
    def shape(self) -> tuple[int, int]:
        """(n, dim)."""
        return self.n, self.dim


Vectors = npt.NDArray[np.generic] | Gathered


def write_store(
    path: str | Path | UPath,
    head: StoreHead,
    rows: Rows,
    vectors: Vectors,
    *,
    trunk: Vectors | Literal["image"] | None = None,
    dtype: npt.DTypeLike = np.float32,
) -> None:
    """Write a store whole, or leave what was there.

    Parameters
    ----------
    path
        Where the store shall lie; its folder exists. A URL gets it whole.
    head, rows
        What it says.
    vectors
        (n, dim), as an array or gathered, so that a store may be larger than memory.
    trunk
        (n, width), the vectors before the projection; "image" where they are the image
        vectors themselves, which then are stored once.
    dtype
        float32 or float16 on disk.

    Raises
    ------
    StoreIntegrityError
        When a vector is not finite; names its picture.
    StoreWriteError
        When the disk is full or the place not writable.
    """
    with whole_file(to_path(path)) as file:
        checksums = _write_vectors(file, IMAGE, rows, vectors, np.dtype(dtype))
        if isinstance(trunk, str):
            file[TRUNK] = file[IMAGE]
        elif trunk is not None:
            more = _write_vectors(file, TRUNK, rows, trunk, np.dtype(dtype))
            checksums = np.concatenate([checksums, more])
        _write_rows(file, rows)
        _write_head(file, head)
        _write_attributes(file, fingerprint=_fingerprint(head, rows, checksums))
        file[CHECKSUMS].attrs[ATTRIBUTES] = attributes_checksum(file.attrs)


def _write_vectors(
    file: h5py.File, name: str, rows: Rows, vectors: Vectors, dtype: np.dtype[np.generic]
) -> npt.NDArray[np.uint32]:
    n, dim = vectors.shape
    if n != len(rows):
        raise DimensionError(f"{n} vectors for {len(rows)} rows")
    dataset = file.create_dataset(name, (len(rows), dim), dtype)
    sums = []
    for start, block in _blocks(rows, vectors, dtype):
        dataset[start : start + len(block)] = block
        sums.append(block_checksums(block))
    checksums = np.concatenate(sums) if sums else np.zeros(0, np.uint32)
    _write_checksums(file, name, checksums)
    return checksums


def _blocks(
    rows: Rows, vectors: Vectors, dtype: np.dtype[np.generic]
) -> Iterator[tuple[int, npt.NDArray[np.generic]]]:
    for start in range(0, len(rows), BLOCK):
        stop = min(start + BLOCK, len(rows))
        gathered = (
            vectors.gather(start, stop) if isinstance(vectors, Gathered) else vectors[start:stop]
        )
        with np.errstate(over="ignore"):
            block = np.ascontiguousarray(gathered, dtype)
        finite = np.isfinite(block).all(axis=1)
        if not finite.all():
            culprit = rows.path[start + int(np.argmin(finite))]
            raise StoreIntegrityError(
                f"the vector of {culprit!r} is not finite as {dtype}: nothing was written"
            )
        yield start, block


def _write_rows(file: h5py.File, rows: Rows) -> None:
    for name in ("path", "digest", "split", "group"):
        column = getattr(rows, name)
        if name != "group" or any(column):
            _write_texts(file, f"rows/{name}", column)
    for name, numeric in (("size", np.int64), ("mtime_ns", np.int64), ("label", np.int32)):
        _write(file, f"rows/{name}", np.asarray(getattr(rows, name), numeric))


def _write_head(file: h5py.File, head: StoreHead) -> None:
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
        encoder=json.dumps(dict(head.encoder)),
        source=json.dumps(dict(head.source)),
        versions=json.dumps(versions),
        extraction=json.dumps(dict(head.extraction)),
    )
    _write_texts(file, "classes", head.classes)
    _write_texts(file, "skipped/path", [path for path, _ in head.skipped])
    _write_texts(file, "skipped/reason", [reason for _, reason in head.skipped])
    for key, text in head.text.items():
        _write_text_vectors(file, f"{TEXT}/{key}", text)
    for name, texts in history_texts(head.history).items():
        _write(file, name, encode_texts(texts), compression="gzip")
    if head.dropped is not None:
        _write_dropped(file, head.dropped)


def _write_dropped(file: h5py.File, dropped: Dropped) -> None:
    texts, arrays = dropped_columns(dropped)
    for name, column in texts.items():
        _write_texts(file, name, column)
    for name, array in arrays.items():
        _write(file, name, array)


def _write_text_vectors(file: h5py.File, name: str, text: TextVectors) -> None:
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


def _fingerprint(head: StoreHead, rows: Rows, checksums: npt.NDArray[np.uint32]) -> str:
    """Give 16 hex digits over everything an experiment's result depends on."""
    digest = hashlib.sha256(str(head.encoder.get("fingerprint", "")).encode())
    for column in (rows.path, rows.digest, rows.split, rows.group, head.classes):
        raw = [text.encode("utf-8", "surrogateescape") for text in column]
        digest.update(b"\0\0".join(raw) + b"\1")
    digest.update(np.asarray(rows.label, "<i4").tobytes())
    digest.update(checksums.astype("<u4").tobytes())
    for key in sorted(head.text):
        digest.update(key.encode() + np.asarray(head.text[key].features, "<f4").tobytes())
    return digest.hexdigest()[:16]
