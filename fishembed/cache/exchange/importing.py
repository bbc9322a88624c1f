"""Import of features that another program computed, as a store."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections import Counter
from collections.abc import Collection, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.bounded_reading import check_npz
from fishembed._base.missing import is_missing, text_or_missing
from fishembed._base.paths import to_path
from fishembed._base.splits import split_named
from fishembed._base.text import did_you_mean
from fishembed.cache.exchange.embedding_folder import read_embedding_folder
from fishembed.cache.exchange.foreign_files import is_foreign, read_foreign_file
from fishembed.cache.exchange.row_facts import ARRAYS, METADATA_PREFIX
from fishembed.cache.lazy_rows import LazyRows, Matrix
from fishembed.cache.opening import open_store
from fishembed.cache.rows import OPTIONAL_ARRAYS, Column, Rows, column_of, text_column
from fishembed.cache.schema import StoreHeader, TextFeatures
from fishembed.cache.writer import store_lock, write_store
from fishembed.errors import (
    DataError,
    DimensionError,
    InputError,
    StoreMismatchError,
    StoreNotFoundError,
)

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_KNOWN = (
    *("features", "trunk", "labels", "classes", "splits", "paths", "groups", "digests"),
    *("boxes", "times", "hashes", "text_features", "logit_scale", "encoder"),
)
_EXACT = 2**53
"""Whole numbers up to here are exact as floats; larger ones are ids."""
_OPENAI_LOGIT_SCALE = 100.0
_LIBRARY = "imported"


def import_features(
    features: str | Path | Mapping[str, npt.ArrayLike],
    store: str | Path | UPath,
    *,
    encoder: str | None = None,
) -> AnyPath:
    """Make a store of features that another program computed.

    Parameters
    ----------
    features
        An .npz file, or arrays by name: `features` (n, dim) float; and optionally `labels`
        (n,) int or text, `classes` (n_classes,) text (a name that occurs again is numbered,
        "missile (2)"), `splits`, `paths`, `groups`, `digests` (n,) text, `trunk` (n, width),
        `boxes` (n, 4) and `times` (n,) of parts of images and frames of videos, else NaN,
        `hashes` uint8 (n, 16), `text_features` (n_classes, dim), `logit_scale` (100 when left out,
        OpenAI's), `encoder`. Any further array of n texts or numbers is a metadata column of its
        name. Or a folder, see `fishembed.cache.exchange.embedding_folder`.
    store
        Where the store shall lie. Imported features that are there are replaced.
    encoder
        Name of what computed the features; that in the file, else "imported", when left out.
        Stores of one name and dim count as comparable.

    Returns
    -------
    Path
        The store.

    Raises
    ------
    InputError
        When the file or an array cannot be used.
    DimensionError
        When lengths do not fit together.
    StoreMismatchError
        When a store lies there whose features were encoded from images.

    Examples
    --------
    >>> import numpy as np
    >>> arrays = {"features": np.eye(4), "labels": ["cod", "cod", "eel", "eel"]}
    >>> import_features(arrays, "eye.h5").name
    'eye.h5'
    """
    arrays = features if isinstance(features, Mapping) else _load(Path(features))
    _check_names(arrays)
    matrix = _features(arrays)
    n, dim = matrix.shape
    classes, labels = _labels(arrays, n)
    facts = _facts(arrays, n)
    rows = Rows(
        path=_texts(arrays, "paths", n) or [f"row-{i:08d}" for i in range(n)],
        digest=[_digest(text) for text in _texts(arrays, "digests", n) or [""] * n],
        size=np.full(n, -1, np.int64),
        mtime_ns=np.full(n, -1, np.int64),
        label=labels,
        split=[_split(text) for text in _texts(arrays, "splits", n) or [""] * n],
        group=_texts(arrays, "groups", n) or [""] * n,
        metadata=_metadata(arrays, n, facts),
        **facts,
    )
    name = encoder or str(arrays.get("encoder", "imported"))
    identity = hashlib.sha256(f"imported\0{name}\0{dim}".encode()).hexdigest()[:16]
    header = StoreHeader(
        encoder={"name": name, "library": _LIBRARY, "dim": dim, "fingerprint": identity},
        source={"root": None, "layout": "imported vectors"},
        classes=tuple(classes),
        text=_text(arrays, classes, dim),
    )
    trunk = _matrix(arrays, "trunk", n) if "trunk" in arrays else None
    place = to_path(store)
    with store_lock(place) as state:
        _check_replaceable(place)
        kind = np.float16 if matrix.dtype == np.float16 else np.float32
        write_store(place, header, rows, matrix, trunk=trunk, dtype=kind, replaces=state)
    return place


import_vectors = import_features
"""The older name."""


def _check_replaceable(place: AnyPath) -> None:
    """Refuse to replace encoded features, which may have cost a day of a GPU."""
    with suppress(StoreNotFoundError), open_store(place, by_name=False) as old:
        if old.encoder.get("library") != _LIBRARY:
            raise StoreMismatchError(
                f"{str(place)!r} holds features that were encoded with {old.encoder_name!r}; an "
                "import would replace them: give another --store"
            )


def _load(path: Path) -> Mapping[str, Any]:
    if path.is_dir():
        return read_embedding_folder(path)
    if not path.is_file():
        raise InputError(f"there is no file {str(path)!r}")
    if is_foreign(path):
        return read_foreign_file(path)
    try:
        with path.open("rb") as raw:
            loaded = np.load(raw, allow_pickle=False)
            if not isinstance(loaded, np.lib.npyio.NpzFile):
                raise DataError(f"{str(path)!r} is no .npz archive of named arrays")
            check_npz(path)
            with loaded as file:
                return {name: file[name] for name in file.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        if isinstance(error, InputError):
            raise
        raise DataError(
            f"{str(path)!r} cannot be read as .npz ({error}); arrays of Python objects are not "
            "accepted: save text as np.array(list_of_str)"
        ) from error


def _check_names(arrays: Mapping[str, Any]) -> None:
    """Refuse misspelt names; arrays with other names are metadata or ignored."""
    for name in set(arrays) - set(_KNOWN):
        missing = [one for one in _KNOWN if one not in arrays]
        if hint := did_you_mean(name, missing, most=1, cutoff=0.8, starts=False):
            raise DataError(f"there is an array {name!r}{hint} Known are {', '.join(_KNOWN)}")


def _facts(arrays: Mapping[str, Any], n: int) -> dict[str, Any]:
    """Return boxes, times and hashes, where arrays of these names are of their shape and type."""
    found: dict[str, Any] = {}
    for name, own in ARRAYS.items():
        array, like = np.asarray(arrays.get(name)), OPTIONAL_ARRAYS[own]
        fits = array.shape == (n, *like.shape) and array.dtype.kind == like.dtype.kind
        if fits and name == "times":  # another program's times may be hours of a day
            paths = _texts(arrays, "paths", n) or [""] * n
            fits = all("#t=" in paths[row] for row in np.flatnonzero(~np.isnan(array)))
        if fits:
            found[own] = array.astype(like.dtype)
    return found


def _metadata(arrays: Mapping[str, Any], n: int, facts: Collection[str]) -> dict[str, Column]:
    """Return the further arrays of one cell a row; others belong to no row."""
    found: dict[str, Column] = {}
    for name, values in arrays.items():
        is_known = ARRAYS[name] in facts if name in ARRAYS else name in _KNOWN
        if is_known or isinstance(values, LazyRows):
            continue
        array = np.asarray(values)
        if array.shape != (n,) or array.dtype.kind not in "iufbUSO":
            continue
        own = name.removeprefix(METADATA_PREFIX)
        if array.dtype.kind in "iuf" and np.abs(np.nan_to_num(array)).max(initial=0) < _EXACT:
            found[own] = array.astype(np.float64)
        elif array.dtype.kind in "US":
            found[own] = text_column([text_or_missing(cell) for cell in array.tolist()])
        else:
            found[own] = column_of([text_or_missing(cell) for cell in array.tolist()])
    return found


def _features(arrays: Mapping[str, Any]) -> Matrix:
    if "features" not in arrays:
        have = ", ".join(sorted(arrays)) or "none"
        raise DataError(f"an array 'features' (n, dim) is needed; there is {have}")
    features = arrays["features"]
    if isinstance(features, LazyRows):
        _check_matrix("features", features.shape, features.dtype)
        return features
    return _matrix(arrays, "features", None)


def _matrix(arrays: Mapping[str, Any], name: str, n: int | None) -> npt.NDArray[Any]:
    array = np.asarray(arrays[name])
    _check_matrix(name, array.shape, array.dtype)
    if n is not None and len(array) != n:
        raise DimensionError(f"{name!r} has {len(array)} rows for {n} features")
    return array


def _check_matrix(name: str, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    if len(shape) != 2 or 0 in shape:
        raise DimensionError(f"{name!r} has shape {shape}; give (n, dim), n and dim > 0")
    if dtype.kind not in "fiu":
        raise DataError(f"{name!r} is of type {dtype}; give floats")


def _digest(text: str) -> str:
    if text and not re.fullmatch(r"[0-9a-f]{64}", text):
        raise DataError(f"'digests' has {text!r}; give SHA-256 in hex, 64 digits, or nothing")
    return text


def _labels(arrays: Mapping[str, npt.ArrayLike], n: int) -> tuple[list[str], npt.NDArray[np.int32]]:
    named = _texts(arrays, "classes", None)
    classes = _unique_names(named)
    if "labels" not in arrays:
        return classes, np.full(n, -1, np.int32)
    labels = np.asarray(arrays["labels"])
    if labels.shape != (n,):
        raise DimensionError(f"'labels' has shape {labels.shape} for {n} features; give ({n},)")
    if labels.dtype.kind in "iu":
        return _numbered(labels, classes)
    if (numbers := _whole_numbers(labels)) is not None:
        return _numbered(numbers, classes)
    texts = _texts(arrays, "labels", n)
    twice = next((name for name in named if classes != named and named.count(name) > 1), None)
    if twice in texts:
        raise DataError(f"'classes' names {twice!r} twice: give 'labels' as numbers")
    classes = classes or sorted(set(texts) - {""})
    number = {name: i for i, name in enumerate(classes)} | {"": -1}
    unknown = next((text for text in texts if text not in number), None)
    if unknown is not None:
        raise DataError(f"the label {unknown!r} is not among 'classes'")
    return classes, np.array([number[text] for text in texts], np.int32)


def _whole_numbers(labels: npt.NDArray[Any]) -> npt.NDArray[np.int64] | None:
    """Return labels that are whole numbers where they are not missing, -1 there; else None."""
    values = [None if is_missing(value) else value for value in labels.tolist()]
    present = [value for value in values if value is not None]
    if not present and labels.dtype.kind != "f":
        return None
    plain = all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in present)
    if not plain or not all(float(one).is_integer() for one in present):
        return None
    return np.array([-1 if value is None else int(value) for value in values], np.int64)


def _unique_names(names: list[str]) -> list[str]:
    """Put a number behind each name that occurs again: ImageNet has two missiles."""
    seen: Counter[str] = Counter()
    unique = []
    for name in names:
        seen[name] += 1
        unique.append(name if seen[name] == 1 else f"{name} ({seen[name]})")
    return unique


def _numbered(
    labels: npt.NDArray[Any], classes: list[str]
) -> tuple[list[str], npt.NDArray[np.int32]]:
    highest = int(labels.max())
    classes = classes or [str(i) for i in range(highest + 1)]
    if highest >= len(classes) or labels.min() < -1:
        raise DataError(
            f"'labels' run from {labels.min()} to {highest}; with {len(classes)} classes they "
            f"must lie in 0 to {len(classes) - 1}, or be -1 for none"
        )
    return classes, labels.astype(np.int32)


def _texts(arrays: Mapping[str, npt.ArrayLike], name: str, n: int | None) -> list[str]:
    """Return an array as a list of text; empty where it is not there."""
    if name not in arrays:
        return []
    array = np.asarray(arrays[name])
    if array.ndim != 1 or (n is not None and len(array) != n):
        wanted = f"({n},)" if n is not None else "(n_classes,)"
        raise DimensionError(f"{name!r} has shape {array.shape}; give {wanted}")
    if name == "classes":  # a name that someone chose, whatever it spells
        return [one.decode() if isinstance(one, bytes) else str(one) for one in array.tolist()]
    return [text_or_missing(value) for value in array.tolist()]


def _split(text: str) -> str:
    split = split_named(text)
    if text and not split:
        raise DataError(f"'splits' has {text!r}; known are train, val and test, or nothing")
    return split


def _text(
    arrays: Mapping[str, npt.ArrayLike], classes: list[str], dim: int
) -> dict[str, TextFeatures]:
    if "text_features" not in arrays:
        return {}
    features = np.asarray(arrays["text_features"], np.float32)
    if features.shape != (len(classes), dim):
        raise DimensionError(
            f"'text_features' has shape {features.shape}; {len(classes)} classes and features of "
            f"{dim} make ({len(classes)}, {dim})"
        )
    scale = float(np.asarray(arrays.get("logit_scale", _OPENAI_LOGIT_SCALE)))
    return {"imported": TextFeatures(features, tuple(classes), (), scale)}
