"""Arrays of files that other programs wrote: Parquet, HDF5, .npy, .npz, .pt and CSV.

A file is known by its content. What could run code (pickles) is never loaded.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.csv_files import CsvTable
from fishembed._base.text_files import file_kind
from fishembed.cache.exchange.row_facts import (
    METADATA_PREFIX,
    OWN_MARK,
    further_arrays,
    objects,
)
from fishembed.cache.hdf5_files import open_hdf5
from fishembed.errors import DataError, FishembedError, MissingExtraError

_NAMES = {
    "features": "features feature embeddings embedding vectors vector x feats emb image_features "
    "img_emb image_embeddings",
    "labels": "labels label y target targets class species",
    "classes": "classes class_names classnames names",
    "paths": "paths path image_path image_paths filename filenames file files key",
    "splits": "splits split subset",
    "groups": "groups group",
    "digests": "digests digest sha256",
}
_MEANING = {word: name for name, spellings in _NAMES.items() for word in spellings.split()}
_NUMBERED = re.compile(r"(.*?)[ _.-]?\d+")
_CONVERT = (
    'where you trust it, convert it: python -c "import pickle, numpy; d = pickle.load(open('
    "'{name}', 'rb')); numpy.savez('{stem}.npz', **d)\" for a dict with the array 'features'"
)
Arrays = dict[str, Any]


def read_foreign_file(path: Path) -> Arrays:
    """Return the arrays of a file by the names that an import knows.

    `InputError` when it holds no features, cannot be read, or is of a kind that cannot be read
    safely, which is named; `MissingExtraError` when it is Parquet and pyarrow is not installed.
    """
    try:
        with path.open("rb") as file:
            start = file.read(8192)
        return _reader(path, start)(path)
    except FishembedError:
        raise
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "pyarrow", "parquet") from error
    except Exception as error:  # each of these libraries has errors of its own
        raise DataError(f"{str(path)!r} cannot be read: {error}") from error


def is_foreign(path: Path) -> bool:
    """Return whether a file is anything but an .npz archive."""
    with path.open("rb") as file:
        start = file.read(4)
    if path.suffix.lower() == ".npz" and start not in (b"PAR1", b"\x89HDF", b"\x93NUM"):
        return False  # reading it raises what is wrong
    return start != b"PK\x03\x04" or _is_torch(path)


def _reader(path: Path, start: bytes) -> Callable[[Path], Arrays]:
    if start.startswith(b"PAR1"):
        return _read_parquet
    if start.startswith(b"\x89HDF\r\n\x1a\n"):
        return _read_hdf5
    if start.startswith(b"\x93NUMPY"):
        return _read_npy
    if _is_torch(path):
        return _read_torch
    if start[:1] == b"\x80" and len(start) > 1 and start[1] <= 5:
        how = _CONVERT.replace("{name}", path.name).replace("{stem}", path.stem)
        raise DataError(
            f"{str(path)!r} is a Python pickle, which can run code when it is read, so it is "
            f"not: {how}"
        )
    if (kind := file_kind(start, path.name)) is not None:
        raise DataError(f"{str(path)!r} is {kind.name}: {kind.advice}")
    return _read_csv


def _is_torch(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            return any(name.endswith("/data.pkl") for name in archive.namelist())
    except (OSError, zipfile.BadZipFile):
        return False


def _read_parquet(path: Path) -> Arrays:
    import pyarrow as pa
    from pyarrow import parquet

    with path.open("rb") as file:
        schema = parquet.read_schema(file)
        a_list = pa.types.is_list, pa.types.is_fixed_size_list, pa.types.is_large_list
        number = pa.types.is_floating, pa.types.is_integer
        odd = pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary
        lists = [
            field.name
            for field in schema
            if _is_any(field.type, a_list) and _is_any(field.type.value_type, number)
        ]
        plain = [field.name for field in schema if not _is_any(field.type, odd)]
        if schema.metadata and OWN_MARK in schema.metadata:
            plain.remove("image")  # where path was, on the machine that wrote the file
        numbers = [f.name for f in schema if pa.types.is_floating(f.type)]
        texts = _known_columns(plain)
        features_column = _one_of(path, lists, "columns of lists") if lists else ""
        wanted = [features_column] if features_column else _feature_columns(path, numbers, texts)
        further = [name for name in plain if name not in {*wanted, *texts}]
        table = parquet.read_table(file, columns=[*wanted, *texts, *further])
    if features_column:
        features = np.array(table[features_column].to_pylist(), np.float32)
    else:
        features = np.stack([table[name].to_numpy() for name in wanted], axis=1)
    columns = {what: table[name].to_pylist() for name, what in texts.items()}
    beside = {name: table[name].to_pylist() for name in further}
    return {"features": features, **objects(columns), **further_arrays(beside)}


def _is_any(kind: Any, tests: Iterable[Callable[[Any], bool]]) -> bool:
    return any(test(kind) for test in tests)


def _read_csv(path: Path) -> Arrays:
    table = CsvTable(path)
    rows = [row for _, row in table]
    texts = _known_columns([name for name in table.columns if name])
    numbers = [
        name for name in table.columns if rows and all(_is_number(row[name]) for row in rows)
    ]
    wanted = _feature_columns(path, numbers, texts)
    features = np.array([[float(row[name]) for name in wanted] for row in rows], np.float32)
    columns = {what: [row[name] for row in rows] for name, what in texts.items()}
    names = [name for name in table.columns if name and name not in {*wanted, *texts}]
    further = {name: [row[name] for row in rows] for name in names}
    return {"features": features, **objects(columns), **further_arrays(further)}


def _read_hdf5(path: Path) -> Arrays:
    import h5py

    with open_hdf5(path) as file:
        found: dict[str, h5py.Dataset] = {}
        file.visititems(
            lambda name, one: found.update({name: one}) if isinstance(one, h5py.Dataset) else None
        )
        return _with_features(
            path, found, "is HDF5 without a matrix (n, dim) of numbers", "matrices"
        )


def _read_npy(path: Path) -> Arrays:
    features = np.load(path, mmap_mode="r", allow_pickle=False)
    files = {one.stem: one for one in path.parent.glob("*.npy") if one != path}
    stem = path.stem.lower()
    own = {
        name: one
        for name, one in files.items()
        if _meaning(name) not in ("", "features") or _pairs(stem, name.lower())
    }
    arrays = {name: np.load(one, mmap_mode="r", allow_pickle=False) for name, one in own.items()}
    for name, one in arrays.items():
        is_of_rows = _pairs(stem, name.lower()) and _last_word(name) != "classes"
        if is_of_rows and len(one) != len(features):
            raise DataError(
                f"{str(path)!r} has {len(features):,} rows and {name}.npy {len(one):,}: they "
                "should be of the same images"
            )
    beside = _beside({_last_word(name): one for name, one in arrays.items()}, len(features))
    return {"features": features, **beside}


def _read_torch(path: Path) -> Arrays:
    import torch

    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        raise DataError(
            f"{str(path)!r} is a file of torch that holds more than tensors and plain values, "
            f"which could run code: torch.save a dict of tensors, 'features' among them ({error})"
        ) from error
    if isinstance(loaded, torch.Tensor):
        loaded = {"features": loaded}
    if not isinstance(loaded, Mapping):
        raise DataError(f"{str(path)!r} holds no dict of tensors, but a {type(loaded).__name__}")
    arrays: Arrays = {
        str(name): value.float().numpy()
        if isinstance(value, torch.Tensor) and value.is_floating_point()
        else np.asarray(value)
        for name, value in loaded.items()
    }
    return _with_features(path, arrays, "holds no tensor (n, dim)", "tensors")


def _with_features(path: Path, arrays: Mapping[str, Any], lack: str, several: str) -> Arrays:
    """Return the one matrix of numbers as features, and the arrays of its rows."""
    matrices = [name for name, one in arrays.items() if one.ndim == 2 and one.dtype.kind in "fiu"]
    if not matrices:
        raise DataError(f"{str(path)!r} {lack}")
    features = arrays[_one_of(path, matrices, several)][()]
    return {"features": features, **_beside(arrays, len(features))}


def _beside(arrays: Mapping[str, Any], n: int) -> Arrays:
    """Return the arrays with a value for each row, and the names of classes."""
    found: Arrays = {}
    for name, array in arrays.items():
        what = _meaning(name)
        if what == "features" or array.ndim != 1 or (len(array) != n and what != "classes"):
            continue
        if what in {"", *found}:  # labels there are already: a second name of them is metadata
            what = f"{METADATA_PREFIX}{name.rpartition('/')[2]}"
        found.setdefault(what, array[()] if hasattr(array, "id") else np.asarray(array))
    return found


def _feature_columns(path: Path, numbers: Sequence[str], known: Collection[str]) -> list[str]:
    """Return the columns that make an embedding: the most that differ in a number only."""
    numbered: dict[str, list[str]] = {}
    for name in numbers:
        if name not in known and (match := _NUMBERED.fullmatch(name)):
            numbered.setdefault(match[1], []).append(name)
    if not numbered:
        raise DataError(
            f"{str(path)!r} has no columns of features: a column of lists, or columns of numbers "
            "named such as f0, f1, f2"
        )
    return max(numbered.values(), key=len)


def _known_columns(names: Sequence[str]) -> dict[str, str]:
    """Return the columns of a table that an import knows, one for each meaning.

    Of several that could mean the same, such as label and species, the first of the meaning's names
    counts; the others are metadata.
    """
    order = list(_MEANING)
    known: dict[str, str] = {}
    for name in sorted(filter(_meaning, names), key=lambda one: order.index(_word(one))):
        if _meaning(name) not in {"features", *known.values()}:
            known[name] = _meaning(name)
    return known


def _one_of(path: Path, names: Sequence[str], what: str) -> str:
    called = [name for name in names if _meaning(name) == "features"] or list(names)
    if len(called) > 1:
        raise DataError(
            f"{str(path)!r} has several {what}: {', '.join(map(repr, called[:5]))}; call the one "
            "to import 'features'"
        )
    return called[0]


def array_meaning(name: str) -> str:
    """Return what a file or array of this name holds, by the names of an import; "" if unknown."""
    return _meaning(_last_word(name.lower()))


def _meaning(name: str) -> str:
    return "" if name.startswith(METADATA_PREFIX) else _MEANING.get(_word(name), "")


def _word(name: str) -> str:
    return name.rpartition("/")[2].strip().lower()


def _pairs(stem: str, other: str) -> bool:
    """Return whether two file names are equal but for the words on their content."""
    return (
        bool(_meaning(_last_word(other)))
        and other.rpartition("_")[0] in (stem, stem.rpartition("_")[0])
        and "_" in other
    )


def _last_word(name: str) -> str:
    return name if _meaning(name) else name.rpartition("_")[2]


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
