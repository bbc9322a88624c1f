"""A store as one Parquet file, with an embedding in each row: for viewers of embeddings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.arrays import unit_rows
from fishembed._base.files import atomic_file
from fishembed.cache.exchange.row_facts import (
    HASH_COLUMN,
    OWN_MARK,
    fact_columns,
    metadata_columns,
)
from fishembed.cache.hdf5_files import store_write_errors
from fishembed.cache.store import Store
from fishembed.errors import MissingExtraError

_BLOCK = 16_384
EMBEDDING = "embedding"
"""Column of the features."""

_CORE = ("image", "path", "label", "split", "group", "digest")
_TAKEN = frozenset({*_CORE, EMBEDDING})


def export_parquet(store: Store, target: Path, *, normalize: bool = False) -> Path:
    """Write a store to one Parquet file that embedding-atlas and FiftyOne open.

    Its columns are image (where the file lies), path, label, split, group, digest, the metadata
    columns (one with the name of another column with "metadata/" before it), where they are known
    box_x, box_y, box_width, box_height, video_time and perceptual_hash, and embedding, a list of
    float32.

    Parameters
    ----------
    store
        The store.
    target
        The file.
    normalize
        Whether each embedding is scaled to length 1.

    Raises
    ------
    MissingExtraError
        When pyarrow is not installed.
    StoreWriteError
        When the disk is full or the place not writable; what was there stays.
    """
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet file", "pyarrow", "parquet") from error
    schema = _schema(pa, store)
    with store_write_errors(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        with atomic_file(target) as temporary, parquet.ParquetWriter(temporary, schema) as writer:
            for start in range(0, max(1, len(store)), _BLOCK):
                rows = slice(start, min(start + _BLOCK, len(store)))
                writer.write_table(_table(pa, store, rows, schema, normalize=normalize))
    return target


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
    names = [*store.classes, None]
    paths = [_plain(path) for path in store.paths[rows]]
    root = store.source.get("root")
    columns: dict[str, Any] = {
        "image": [_plain(str(Path(root or "", path))) for path in store.paths[rows]],
        "path": paths,
        "label": [names[label] for label in store.labels[rows]],
        "split": [split or None for split in store.splits[rows].tolist()],
        "group": [group or None for group in store.groups[rows]],
        "digest": [digest or None for digest in store.digests[rows]],
    }
    columns |= metadata_columns(store.metadata, _TAKEN, rows) | fact_columns(store, rows)
    features = np.asarray(store.features[rows], np.float32)
    scaled = np.asarray(unit_rows(features) if normalize else features, np.float32)
    values = pa.array(np.ascontiguousarray(scaled).reshape(-1))
    arrays = [
        pa.FixedSizeListArray.from_arrays(values, store.dim)
        if field.name == EMBEDDING
        else pa.array(columns[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _plain(text: str) -> str:
    """Return text that Parquet can hold, for file names that are no valid Unicode."""
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
