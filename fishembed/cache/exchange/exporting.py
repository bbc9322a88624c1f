"""Write a store for other programs: .npz, .npy beside Parquet, one Parquet file, a manifest."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed._base.csv_files import write_csv
from fishembed._base.files import atomic_file, atomic_folder
from fishembed._base.paths import is_url
from fishembed.cache.exchange.row_facts import (
    HASH_COLUMN,
    METADATA_PREFIX,
    OWN_MARK,
    fact_arrays,
    fact_columns,
    metadata_columns,
)
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.rows import as_text, is_known, is_number
from fishembed.cache.store import Store
from fishembed.cache.store_columns import BOX
from fishembed.errors import InputError, MissingExtraError

_BLOCK = 16_384
SHARD_ROWS = 1_000_000
"""Rows of one .npy file of a folder, as clip-retrieval writes them."""

EMBEDDING = "embedding"
"""Column of the features in a Parquet file."""

_CORE = ("image", "path", "label", "split", "group", "digest")
_TAKEN = frozenset({*_CORE, EMBEDDING})
COLUMNS = ("path", "label", "split", "group")
"""First columns of a manifest."""


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
        that ends in .parquet: one file that embedding-atlas and FiftyOne open, with image (where
        the file lies), path, label, split, group, digest, the metadata columns (one with the name
        of another column with "metadata/" before it), where they are known box_x, box_y, box_width,
        box_height, video_time and perceptual_hash, and embedding, a list of float32.
        Any other name: a folder as clip-retrieval writes and embedding-reader reads it,
        with `img_emb/img_emb_0.npy`, `metadata/metadata_0.parquet` (image_path, label,
        split, group, digest, caption, metadata, boxes, time and hash as above) and, where every row
        has a class with text features, `text_emb/text_emb_0.npy` with those of each row's class.
    prompts
        Whose text features go along; those of the first prompt set when left out.
    normalize
        Whether each embedding is scaled to length 1, as clip-retrieval does. A store's
        features are as the encoder returned them.
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
        When a folder or Parquet is wanted and pyarrow is not installed.
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
            _write_parquet(store, target, normalize=normalize)
        else:
            _write_folder(store, target, key, normalize=normalize, shard_rows=shard_rows)
    return target


def _arrays(store: Store, key: str | None, *, normalize: bool) -> dict[str, Any]:
    arrays: dict[str, Any] = {
        "features": _scaled(store.features, normalize=normalize),
        "labels": store.labels,
        "splits": store.splits,
        "encoder": np.array(store.encoder_name),
        **fact_arrays(store),
    }
    for name in ("classes", "paths", "groups", "digests"):
        arrays[name] = np.array(getattr(store, name), np.str_)
    for name, column in store.metadata.items():
        plain = column if is_number(column) else np.array(column.tolist(), np.str_)
        arrays[f"{METADATA_PREFIX}{name}"] = plain
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
    store: Store, folder: Path, number: str, rows: slice, key: str | None, *, normalize: bool
) -> None:
    def place(kind: str, suffix: str) -> Path:
        (folder / kind).mkdir(parents=True, exist_ok=True)
        return folder / kind / f"{kind}_{number}{suffix}"

    features, labels = store.features[rows], store.labels[rows]
    shape, starts = (len(labels), store.dim), range(0, len(labels), _BLOCK)
    blocks = (_scaled(features[s : s + _BLOCK], normalize=normalize) for s in starts)
    _save(place("img_emb", ".npy"), blocks, shape, features.dtype)
    captions = None
    if key is not None and bool((store.labels >= 0).all()):
        text = store.text(key)
        templates = text.templates or ("{}",)
        captions = [templates[0].replace("{}", text.names[label]) for label in labels]
        rows_of_text = _scaled(text.features, normalize=normalize).astype(features.dtype)
        blocks = (rows_of_text[labels[s : s + _BLOCK]] for s in starts)
        _save(place("text_emb", ".npy"), blocks, shape, features.dtype)
    _write_metadata(store, place("metadata", ".parquet"), rows, captions)


def _save(
    path: Path,
    blocks: Iterator[npt.NDArray[Any]],
    shape: tuple[int, int],
    dtype: np.dtype[Any],
) -> None:
    """Write a .npy file that need not fit into memory."""
    descr = np.lib.format.dtype_to_descr(dtype)
    header = {"descr": descr, "fortran_order": False, "shape": shape}
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
    texts = _row_texts(store, rows)
    columns = {"image_path": texts.pop("image"), **texts}
    if captions is not None:
        columns["caption"] = captions
    for name, column in metadata_columns(store.metadata, {*columns, "caption"}, rows).items():
        columns[name] = as_text(column) if isinstance(column, np.ndarray) else column
    arrays = {name: pa.array(cells, pa.string()) for name, cells in columns.items()}
    for name, cells in fact_columns(store, rows).items():
        arrays[name] = pa.array(cells, pa.string() if name == HASH_COLUMN else pa.float64())
    parquet.write_table(pa.table(arrays), path)


def _row_texts(store: Store, rows: slice) -> dict[str, list[Any]]:
    """Return where images lie, and their label, split, group and digest."""
    root, names = store.source.get("root"), [*store.classes, None]
    return {
        "image": [_plain(str(Path(root or "", path))) for path in store.paths[rows]],
        "label": [names[label] for label in store.labels[rows]],
        "split": store.splits[rows].tolist(),
        "group": store.groups[rows],
        "digest": store.digests[rows],
    }


def _scaled(features: Any, *, normalize: bool) -> npt.NDArray[Any]:
    return np.asarray(unit_rows(features) if normalize else features, features.dtype)


def _plain(text: str) -> str:
    """Return text that Parquet can hold, for file names that are no valid Unicode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _write_parquet(store: Store, target: Path, *, normalize: bool) -> None:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "pyarrow", "parquet") from error
    schema = _schema(pa, store)
    with atomic_file(target) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
        for start in range(0, max(1, len(store)), _BLOCK):
            rows = slice(start, min(start + _BLOCK, len(store)))
            writer.write_table(_table(pa, store, rows, schema, normalize=normalize))


def _schema(pa: Any, store: Store) -> Any:
    fields = dict.fromkeys(_CORE, pa.string())
    none = slice(0, 0)
    for name, column in metadata_columns(store.metadata, _TAKEN, none).items():
        fields[name] = pa.float64() if isinstance(column, np.ndarray) else pa.string()
    for name in fact_columns(store, none):
        fields[name] = pa.string() if name == HASH_COLUMN else pa.float64()
    fields[EMBEDDING] = pa.list_(pa.float32(), store.dim)
    return pa.schema(fields, {OWN_MARK: b"1"})


def _table(pa: Any, store: Store, rows: slice, schema: Any, *, normalize: bool) -> Any:
    columns = _row_texts(store, rows)
    columns |= {name: [c or None for c in columns[name]] for name in ("split", "group", "digest")}
    columns["path"] = [_plain(path) for path in store.paths[rows]]
    columns |= metadata_columns(store.metadata, _TAKEN, rows) | fact_columns(store, rows)
    features = _scaled(np.asarray(store.features[rows], np.float32), normalize=normalize)
    values = pa.array(np.ascontiguousarray(features).reshape(-1))
    arrays = [
        pa.FixedSizeListArray.from_arrays(values, store.dim)
        if field.name == EMBEDDING
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def export_manifest(store: Store, target: str | Path) -> Path:
    """Write path, label, split, group and metadata of every row, as they are after all fixes.

    The row of a box has its image with x, y, width and height, as `extract` reads it; the frame of
    a video is called `clip.mp4#t=12.5`. What is missing is an empty cell.

    Parameters
    ----------
    store
        The store.
    target
        The CSV file. Paths in it are relative to its folder where the images lie below that, and
        absolute otherwise, so that `fishembed extract` finds them.

    Returns
    -------
    Path
        The target.

    Raises
    ------
    StoreWriteError
        When the disk is full or the place not writable; what was there is untouched.
    """
    target = Path(target)
    names = [*store.classes, ""]
    root, here = store.source.get("root"), target.absolute().parent
    box_columns = BOX if is_known(store.boxes) else ()
    taken = {*COLUMNS, *box_columns}
    metadata = {name: column for name, column in store.metadata.items() if name not in taken}
    images = [
        _place(path if np.isnan(box[0]) else _boxed_image(path), root, here)
        for path, box in zip(store.paths, store.boxes, strict=True)
    ]
    labels = [names[label] for label in store.labels]
    sides = store.boxes.T if box_columns else ()
    further = [as_text(column) for column in (*sides, *metadata.values())]
    rows = zip(images, labels, store.splits.tolist(), store.groups, *further, strict=True)
    with store_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        write_csv(target, (*COLUMNS, *box_columns, *metadata), rows)
    return target


def _boxed_image(path: str) -> str:
    """Return the path of the image that a box is a part of."""
    return path.rpartition("#xywh=")[0] or path


def _place(path: str, root: object, here: Path) -> str:
    if not root or is_url(path) or is_url(str(root)):
        return path
    whole = Path(str(root), path)
    return os.fspath(whole.relative_to(here) if whole.is_relative_to(here) else whole)
