"""Write a store's features for other programs: .npz, or .npy beside Parquet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.files import atomic_file, atomic_folder
from fishembed.cache.exchange.parquet_export import export_parquet
from fishembed.cache.exchange.row_facts import (
    HASH_COLUMN,
    METADATA_PREFIX,
    fact_arrays,
    fact_columns,
    metadata_columns,
)
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.metadata import Column, as_text, is_number
from fishembed.cache.store import Store
from fishembed.errors import InputError, MissingExtraError

_BLOCK = 16_384
SHARD_ROWS = 1_000_000
"""Rows of one .npy file of a folder, as clip-retrieval writes them."""


def export_store(
    store: Store,
    target: str | Path,
    *,
    prompts: str | None = None,
    normalize: bool = False,
    shard_rows: int = SHARD_ROWS,
) -> Path:
    """Write a store's features and rows where other programs can read them.

    Parameters
    ----------
    store
        The store.
    target
        A name that ends in .npz: one file with the arrays that `import_features` reads. One
        that ends in .parquet: one file for viewers, see `export_parquet`.
        Any other name: a folder as clip-retrieval writes and embedding-reader reads it,
        with `img_emb/img_emb_0.npy`, `metadata/metadata_0.parquet` (image_path, label,
        split, group, digest, caption, metadata, and where they are known box_x, box_y, box_width,
        box_height, video_time and perceptual_hash) and, where every row has a class with text
        features, `text_emb/text_emb_0.npy` with those of each row's class.
    prompts
        Whose text features go along; those of the first prompt set when left out.
    normalize
        Whether each embedding is scaled to length 1, as clip-retrieval does. A store's
        features are as the encoder gave them.
    shard_rows
        Rows of one file of a folder.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    InputError
        When there is no such prompt set, or the folder is there already.
    MissingExtraError
        When a folder is wanted and pyarrow is not installed.
    StoreWriteError
        When the disk is full or the place not writable; nothing is left behind.
    """
    target = Path(target)
    keys = store.text_keys
    key = prompts if prompts is not None else (keys[0] if keys else None)
    with store_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.suffix.lower() == ".npz":
            with atomic_file(target) as temporary, temporary.open("wb") as file:
                np.savez(file, **_arrays(store, key, normalize=normalize))
        elif target.suffix.lower() == ".parquet":
            export_parquet(store, target, normalize=normalize)
        else:
            _write_folder(store, target, key, normalize=normalize, shard_rows=shard_rows)
    return target


def _arrays(store: Store, key: str | None, *, normalize: bool) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "features": _scaled(store.features, normalize=normalize),
        "labels": store.labels,
        "classes": _text_array(store.classes),
        "splits": store.splits,
        "paths": _text_array(store.paths),
        "groups": _text_array(store.groups),
        "digests": _text_array(store.digests),
        "encoder": np.array(store.encoder_name),
        **fact_arrays(store),
    }
    arrays |= {f"{METADATA_PREFIX}{name}": _plain_column(c) for name, c in store.metadata.items()}
    if store.has_trunk and not store.trunk_is_image:
        arrays["trunk"] = _scaled(store.trunk, normalize=normalize)
    if key is not None:
        text = store.text(key)
        arrays["text_features"] = text.features
        arrays["logit_scale"] = np.array(text.logit_scale)
    return arrays


def _write_folder(
    store: Store, target: Path, key: str | None, *, normalize: bool, shard_rows: int
) -> None:
    if target.exists():
        raise InputError(f"{str(target)!r} is there already: give another name")
    starts = range(0, len(store), shard_rows)
    digits = len(str(len(starts) - 1))
    with atomic_folder(target) as temporary:
        for number, start in enumerate(starts):
            rows = slice(start, min(start + shard_rows, len(store)))
            _write_shard(store, temporary, f"{number:0{digits}d}", rows, key, normalize=normalize)


def _write_shard(
    store: Store,
    folder: Path,
    number: str,
    rows: slice,
    key: str | None,
    *,
    normalize: bool,
) -> None:
    def place(kind: str, suffix: str) -> Path:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        return folder / kind / f"{kind}_{number}{suffix}"

    features, labels = store.features[rows], store.labels[rows]
    shape = (len(labels), store.dim)
    _save(place("img_emb", ".npy"), _blocks(features, normalize=normalize), shape, features.dtype)
    captions = None
    if key is not None and bool((store.labels >= 0).all()):
        text = store.text(key)
        templates = text.templates or ("{}",)
        captions = [templates[0].replace("{}", text.names[label]) for label in labels]
        rows_of_text = _scaled(text.features, normalize=normalize).astype(features.dtype)
        blocks = (rows_of_text[labels[s : s + _BLOCK]] for s in range(0, len(labels), _BLOCK))
        _save(place("text_emb", ".npy"), blocks, shape, features.dtype)
    _write_metadata(store, place("metadata", ".parquet"), rows, captions)


def _save(
    path: Path,
    blocks: Iterator[npt.NDArray[Any]],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
) -> None:
    """Write a .npy file that need not fit into memory."""
    header = {
        "descr": np.lib.format.dtype_to_descr(dtype),
        "fortran_order": False,
        "shape": shape,
    }
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for block in blocks:
            file.write(np.ascontiguousarray(block, dtype).data)


def _write_metadata(store: Store, path: Path, rows: slice, captions: list[str] | None) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a folder of .npy and Parquet", "pyarrow", "parquet") from error
    root = store.source.get("root")
    names = [*store.classes, None]
    columns: dict[str, Any] = {
        "image_path": [_plain(str(Path(root or "", path))) for path in store.paths[rows]],
        "label": [names[label] for label in store.labels[rows]],
        "split": store.splits[rows].tolist(),
        "group": store.groups[rows],
        "digest": store.digests[rows],
    }
    if captions is not None:
        columns["caption"] = captions
    taken = {*columns, "caption"}
    arrays = {name: pa.array(c, pa.string()) for name, c in columns.items()}
    for name, column in metadata_columns(store.metadata, taken, rows).items():
        text = as_text(column) if isinstance(column, np.ndarray) else column
        arrays[name] = pa.array(text, pa.string())
    for name, cells in fact_columns(store, rows).items():
        arrays[name] = pa.array(cells, pa.string() if name == HASH_COLUMN else pa.float64())
    parquet.write_table(pa.table(arrays), path)


def _blocks(array: npt.NDArray[Any], *, normalize: bool) -> Iterator[npt.NDArray[Any]]:
    for start in range(0, len(array), _BLOCK):
        yield _scaled(array[start : start + _BLOCK], normalize=normalize)


def _scaled(features: Any, *, normalize: bool) -> npt.NDArray[Any]:
    return np.asarray(unit_rows(features) if normalize else features, features.dtype)


def _plain_column(column: Column) -> npt.NDArray[Any]:
    return column if is_number(column) else _text_array(column.tolist())


def _text_array(texts: list[str]) -> npt.NDArray[np.str_]:
    return np.array(texts, dtype=np.str_)


def _plain(text: str) -> str:
    """Return text that Parquet can hold, for file names that are no valid Unicode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
