"""A manifest: a CSV or Parquet table that names the images."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from fishembed._base.csv_files import CsvTable
from fishembed._base.paths import Place, is_remote, is_url
from fishembed._base.remote_files import remote_errors
from fishembed._base.splits import SPLIT_NAMES, SPLITS
from fishembed.errors import ManifestError, MissingExtraError
from fishembed.images.sample import Sample

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

COLUMNS = ("path", "label", "split", "group")
_PARQUET = frozenset({".parquet", ".pq"})
MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"}) | _PARQUET

Row = tuple[int, dict[str, str]]


def read_manifest(path: AnyPath) -> list[Sample]:
    """List the images of a manifest, in its order; a row that is there twice counts once.

    Parameters
    ----------
    path
        CSV (comma, semicolon or tab, UTF-8) or Parquet with the columns
        path[, label][, split][, group]. Paths are absolute, or relative to the file.
        Other columns are left alone.

    Raises
    ------
    ManifestError
        When `path` is missing or a known column misspelt, when a split is unknown, when two
        rows give one image different labels, splits or groups, or when no image exists.
    MissingExtraError
        When a Parquet file is given and pyarrow is not installed.
    """
    columns, rows = _read_parquet(path) if path.suffix.lower() in _PARQUET else _read_csv(path)
    _check_columns(path, columns)
    items: dict[str, tuple[int, Sample]] = {}
    for line, row in rows:
        item = _item(path, line, row)
        before, known = items.setdefault(item.path, (line, item))
        if known != item:
            raise ManifestError(
                f"{str(path)!r}: rows {before} and {line} contradict each other about "
                f"{item.path!r}: {_difference(known, item)}"
            )
    if not items:
        raise ManifestError(f"{str(path)!r} names no image")
    found = [item for _, item in items.values()]
    if not any(_may_exist(path.parent, item.path) for item in found):
        raise ManifestError(
            f"{str(path)!r}: none of its {len(found):,} images exists; the first would be "
            f"{str(path.parent / found[0].path)!r}. Relative paths start at the manifest's folder"
        )
    return found


def _may_exist(root: AnyPath, path: str) -> bool:
    """Tell whether an image is there; those elsewhere show when they are listed or read."""
    return is_remote(root) or is_url(path) or (root / path).is_file()


def _read_csv(path: AnyPath) -> tuple[list[str], Iterator[Row]]:
    table = CsvTable(path, ManifestError)
    if not table.columns:
        raise ManifestError(f"{str(path)!r} is empty: its first row must name the columns")
    return table.columns, iter(table)


def _read_parquet(path: AnyPath) -> tuple[list[str], Iterator[Row]]:
    try:
        import pyarrow as pa
        from pyarrow import parquet
    except ImportError as error:
        raise MissingExtraError("a Parquet manifest", "pyarrow", "parquet") from error
    try:
        with remote_errors(path), path.open("rb") as file:
            names = parquet.read_schema(file).names
            table = parquet.read_table(file, columns=[n for n in COLUMNS if n in names])
    except (OSError, pa.ArrowException) as error:
        raise ManifestError(f"cannot read {str(path)!r} as Parquet: {error}") from error
    cells = table.to_pylist()
    rows = (
        (line, {name: "" if value is None else str(value) for name, value in row.items()})
        for line, row in enumerate(cells, start=1)
    )
    return list(names), rows


def _check_columns(path: AnyPath, columns: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in columns]
    for unknown in (name for name in columns if name not in COLUMNS):
        close = difflib.get_close_matches(unknown.lower(), missing, n=1, cutoff=0.7)
        if close:
            raise ManifestError(
                f"{str(path)!r} has a column {unknown!r}: did you mean {close[0]!r}? "
                f"Known columns are {', '.join(COLUMNS)}"
            )
    if "path" in missing:
        raise ManifestError(
            f"{str(path)!r} has no column 'path'; its columns are "
            f"{', '.join(map(repr, columns)) or 'none'}"
        )
    if len(set(columns)) < len(columns):
        twice = next(name for name in columns if list(columns).count(name) > 1)
        raise ManifestError(f"{str(path)!r} has the column {twice!r} twice")


def _item(path: AnyPath, line: int, row: dict[str, str]) -> Sample:
    name = row["path"]
    if not name.strip():
        raise ManifestError(f"{str(path)!r}: row {line} has an empty path")
    split = row.get("split", "").strip()
    if split and split.lower() not in SPLIT_NAMES:
        raise ManifestError(
            f"{str(path)!r}: row {line} has the split {split!r}; known are {', '.join(SPLITS)} "
            "(or valid, validation), or nothing"
        )
    return Sample(
        path=Place(name),
        label=row.get("label", "").strip() or None,
        split=SPLIT_NAMES[split.lower()] if split else "",
        group=row.get("group", "").strip(),
    )


def _difference(a: Sample, b: Sample) -> str:
    name = next(n for n in ("label", "split", "group") if getattr(a, n) != getattr(b, n))
    return f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
