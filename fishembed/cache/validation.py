"""Validation of a store: its layout before anything is used, checksums of what is read."""

from __future__ import annotations

import json
import math
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.splits import SPLITS
from fishembed._base.text import reason_of
from fishembed.cache.lazy_rows import Matrix
from fishembed.cache.schema import CHECKED_ROWS, CHECKSUMS, IMAGE, TEXT, TRUNK, decode_attribute
from fishembed.errors import FishembedError, StoreFormatError

_COLUMNS = {"path": "S", "digest": "S", "split": "S", "size": "i", "mtime_ns": "i", "label": "i"}
_DIGEST = re.compile(r"([0-9a-f]{2})*")
_EXTRACTION: dict[str, Any] = {
    "when": str,
    "encoded": int,
    "wall": (int, float),
    "device": str,
    "bottleneck": str,
}
_SPLITS = frozenset({*SPLITS, ""})

F = TypeVar("F", bound=Callable[..., Any])


def read_safely(method: F) -> F:
    """Make a method of a store raise that the file is damaged, whatever its content breaks."""

    @wraps(method)
    def read(store: Any, *arguments: Any) -> Any:
        try:
            return method(store, *arguments)
        except FishembedError:
            raise
        except Exception as error:  # what a crafted file breaks cannot be listed
            raise StoreFormatError(
                f"{str(store.path)!r} is damaged ({reason_of(error)}): name another, "
                "or move it away and extract again"
            ) from error

    return read  # type: ignore[return-value]


def read_description(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return a file's attributes: encoder, source, versions, extraction, and the texts.

    `ValueError`, `KeyError` or `RecursionError` when they are none of a store's.
    """
    texts = {name: decode_attribute(value) for name, value in attributes.items()}
    found: dict[str, Any] = {name: texts[name] for name in ("fingerprint", "created")}
    for name in ("encoder", "source", "versions", "extraction"):
        found[name] = json.loads(texts.get(name, "{}") if name == "extraction" else texts[name])
        _check(isinstance(found[name], dict), f"the attribute {name!r} is no JSON object")
    encoder, source, extraction = found["encoder"], found["source"], found["extraction"]
    for name in ("name", "fingerprint", "library"):
        _check(isinstance(encoder.get(name, ""), str), f"the encoder's {name} is no text")
    _check(isinstance(source.get("root"), str | None), "the source's root is no text")
    _check(isinstance(source.get("layout", ""), str), "the source's layout is no text")
    _check(isinstance(source.get("boxes", {}), dict), "the source's boxes are no JSON object")
    for name, kind in _EXTRACTION.items() if extraction else ():
        good = isinstance(extraction.get(name), kind)
        _check(good, f"the attribute 'extraction' has no usable {name!r}")
    _check(isinstance(extraction.get("scaled", 0), int), "'extraction' has no usable 'scaled'")
    return found


def check_layout(file: h5py.File, features: h5py.File) -> None:
    """Compare types and shapes of all data sets with those a store has; read none.

    `file` has the store's content as this version lays it out, `features` the features.
    `ValueError` or `KeyError` when something is missing, or of another type or shape.
    """
    image = _dataset(features, IMAGE, "f", 2)
    n, dim = image.shape
    _check(dim > 0, f"{IMAGE!r} has shape {image.shape}")
    _check(image.dtype.itemsize in (2, 4), f"{IMAGE!r} has type {image.dtype}")
    if TRUNK in features:
        trunk = _dataset(features, TRUNK, "f", 2)
        _check(len(trunk) == n, f"{TRUNK!r} has {len(trunk)} rows of {n}")
    _check(isinstance(file[CHECKSUMS], h5py.Group), f"{CHECKSUMS!r} is no group")
    for name, kind in _COLUMNS.items():
        _dataset(file, f"rows/{name}", kind, 1)
    for name, column in file["rows"].items():
        if isinstance(column, h5py.Dataset):
            fits = column.shape[:1] == (n,)
            _check(fits, f"'rows/{name}' has shape {column.shape} for {n} rows")
    n_classes = len(_dataset(file, "classes", "S", 1))
    reasons = _dataset(file, "skipped/reason", "S", 1)
    _check(_dataset(file, "skipped/path", "S", 1).shape == reasons.shape, "'skipped' is uneven")
    for key in file.get(TEXT, ()):
        _check_text(file, f"{TEXT}/{key}", n_classes)


def _check_text(file: h5py.File, name: str, n_classes: int) -> None:
    features = _dataset(file, f"{name}/features", "f", 2)
    good = len(features) == len(file[f"{name}/names"]) == n_classes
    _check(good, f"{name!r} has shape {features.shape} for {n_classes} classes")
    _dataset(file, f"{name}/names", "S", 1)
    _dataset(file, f"{name}/templates", "S", 1)
    scale = file[name].attrs["logit_scale"]
    _check(np.ndim(scale) == 0 and math.isfinite(float(scale)), f"{name!r} has no logit scale")


def check_column(name: str, column: Any, n_classes: int) -> None:
    """Raise a `ValueError` where a column has a value that no store writes."""
    if name == "label" and len(column):
        low, high = int(column.min()), int(column.max())
        _check(low >= -1 and high < n_classes, f"labels from {low} to {high}, {n_classes} classes")
    if name == "split" and not _SPLITS.issuperset(column):
        raise ValueError(f"a split {min(set(column) - _SPLITS)!r}")
    if name == "digest":
        wrong = next((one for one in column if one and not _DIGEST.fullmatch(one)), None)
        _check(wrong is None, f"the digest {wrong!r} is no hex")


def _dataset(file: h5py.File, name: str, kind: str, ndim: int) -> h5py.Dataset:
    dataset = file[name]
    _check(isinstance(dataset, h5py.Dataset), f"{name!r} is no data set")
    wrong = dataset.dtype.kind != kind or len(dataset.shape or ()) != ndim
    _check(not wrong, f"{name!r} holds {dataset.dtype} {dataset.shape}")
    return dataset


def _check(good: bool, otherwise: str) -> None:
    if not good:
        raise ValueError(otherwise)


_FINITE_ROWS = 1024
"""Rows that are checked at once: few enough to stay in the processor's cache."""


@dataclass(frozen=True)
class Damage:
    """A block of rows, `first` to `last` included, that is not what was written.

    The dataset is named as in the file; "attributes" are those of the file.
    """

    dataset: str
    first: int
    last: int


def block_checksums(array: Matrix | npt.NDArray[np.generic]) -> npt.NDArray[np.uint32]:
    """Return the CRC-32 of each block of rows, uint32 (ceil(n / CHECKED_ROWS),).

    `array` is (n, …) of a type without pointers, the first row at a block's start.
    """
    starts = range(0, array.shape[0], CHECKED_ROWS)
    blocks = (np.ascontiguousarray(array[s : s + CHECKED_ROWS]) for s in starts)
    return np.array([zlib.crc32(block.view(np.uint8).data) for block in blocks], dtype=np.uint32)


def read_checksums(file: h5py.File) -> dict[str, npt.NDArray[np.uint32]]:
    """Return the checksums in a file, by the dataset that they are of."""
    found: dict[str, npt.NDArray[np.uint32]] = {}

    def visit(name: str, member: object) -> None:
        if isinstance(member, h5py.Dataset):
            found[name] = member[()]

    file[CHECKSUMS].visititems(visit)
    return found


def attributes_checksum(attributes: Mapping[str, object]) -> int:
    """Return the CRC-32 of a file's attributes, whose text HDF5 stores without checksums."""
    return zlib.crc32(repr(sorted((name, str(attributes[name])) for name in attributes)).encode())


def find_damage(
    name: str, array: Matrix | npt.NDArray[np.generic], expected: npt.NDArray[np.uint32]
) -> list[Damage]:
    """Return the blocks of an array that differ from the checksums it was written with.

    Touching ones are one; all rows where even the number of blocks differs.
    """
    found = block_checksums(array)
    if found.shape != expected.shape:
        return [Damage(name, 0, max(0, array.shape[0] - 1))]
    bad = np.flatnonzero(found != expected)
    runs = np.split(bad, np.flatnonzero(np.diff(bad) > 1) + 1) if len(bad) else []
    ends = [(int(run[0]) * CHECKED_ROWS, (int(run[-1]) + 1) * CHECKED_ROWS) for run in runs]
    return [Damage(name, first, min(stop, array.shape[0]) - 1) for first, stop in ends]


def first_not_finite(matrix: Matrix | npt.NDArray[np.generic]) -> int | None:
    """Return the first row with a NaN or an infinity; None where all are finite."""
    for start in range(0, matrix.shape[0], _FINITE_ROWS):
        block = np.asarray(matrix[start : start + _FINITE_ROWS])
        finite = np.isfinite(block)
        if not finite.all():
            return start + int(np.argmin(finite.all(axis=1)))
    return None
