"""A manifest: a CSV or Parquet table that names the images."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import is_missing, text_or_missing
from fishembed._base.paths import Place, is_remote, is_url
from fishembed._base.remote_files import remote_errors
from fishembed._base.splits import SPLITS, split_named
from fishembed.errors import ManifestError, MissingExtraError
from fishembed.images.path_spelling import spelling_on_disk
from fishembed.images.sample import Sample

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

COLUMNS = ("path", "label", "split", "group")
_PARQUET = frozenset({".parquet", ".pq"})
MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"}) | _PARQUET
_PARQUET_START = b"PAR1"
_WHOLE_NUMBER = re.compile(r"-?\d+\.0")

Row = tuple[int, dict[str, str]]


class Manifest(NamedTuple):
    """What a manifest says.

    Attributes
    ----------
    samples
        Its images, in its order; a row that is there twice counts once.
    left_out
        (row, reason) of each row that cannot be used.
    notes
        Sentences on how it was read where that had to be guessed.
    """

    samples: list[Sample]
    left_out: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


def read_manifest(path: AnyPath) -> Manifest:
    """List the images of a manifest.

    Parameters
    ----------
    path
        CSV in any dialect that `CsvTable` reads, or Parquet, with the columns
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
    table: CsvTable | _ParquetTable = (
        _ParquetTable(path)
        if _is_parquet(path)
        else CsvTable(path, ManifestError, skip_bad_rows=True)
    )
    if not table.columns:
        raise ManifestError(f"{str(path)!r} is empty: its first row must name the columns")
    _check_columns(path, table.columns)
    samples: dict[str, tuple[int, Sample]] = {}
    left_out: list[tuple[int, str]] = []
    for line, row in _whole_numbers(table):
        if is_missing(row["path"]):
            if any(row.values()):
                left_out.append((line, f"row {line} has an empty path"))
            continue
        sample = _sample(path, line, row)
        before, known = samples.setdefault(sample.path, (line, sample))
        if known != sample:
            raise ManifestError(
                f"{str(path)!r}: rows {before} and {line} contradict each other about "
                f"{sample.path!r}: {_difference(known, sample)}"
            )
    left_out = sorted([*table.bad_rows, *left_out])
    if not samples:
        why = f": {left_out[0][1]}" if left_out else ""
        raise ManifestError(f"{str(path)!r} names no image{why}")
    found = [sample for _, sample in samples.values()]
    _refuse_nothing(path, found, table.remarks())
    named = tuple((f"{path.name}, row {line}", reason) for line, reason in left_out)
    return Manifest(found, named, tuple(table.remarks()))


def _refuse_nothing(path: AnyPath, samples: Sequence[Sample], remarks: Sequence[str]) -> None:
    if any(_may_exist(path.parent, sample.path) for sample in samples):
        return
    raise ManifestError(
        f"{str(path)!r}: none of its {len(samples):,} images exists; the first would be "
        f"{str(path.parent / samples[0].path)!r}. Relative paths start at the manifest's folder"
        + "".join(f". {remark}" for remark in remarks)
    )


def _may_exist(root: AnyPath, path: str) -> bool:
    """Tell whether an image is there; those elsewhere show when they are listed or read."""
    if is_remote(root) or is_url(path):
        return True
    try:
        return (root / path).is_file()
    except (OSError, ValueError):  # the name is too long, or holds a zero byte
        return False


def _is_parquet(path: AnyPath) -> bool:
    if path.suffix.lower() in _PARQUET:
        return True
    try:
        if not is_remote(path) and not path.is_file():
            return False
        with remote_errors(path), path.open("rb") as file:
            return bytes(file.read(len(_PARQUET_START))) == _PARQUET_START
    except OSError:
        return False  # reading it as text says why


class _ParquetTable:
    """The columns of a Parquet file that a manifest has; see `CsvTable`."""

    def __init__(self, path: AnyPath) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("a Parquet manifest", "pyarrow", "parquet") from error
        try:
            with remote_errors(path), path.open("rb") as file:
                self.columns = list(parquet.read_schema(file).names)
                known = [name for name in COLUMNS if name in self.columns]
                self._table = parquet.read_table(file, columns=known)
        except (OSError, pa.ArrowException) as error:
            raise ManifestError(f"cannot read {str(path)!r} as Parquet: {error}") from error
        self.bad_rows: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[Row]:
        names = self._table.column_names
        columns = [self._table[name].to_pylist() for name in names]
        for line, cells in enumerate(zip(*columns, strict=True), start=1):
            yield (
                line,
                {
                    name: _path_text(cell) if name == "path" else text_or_missing(cell)
                    for name, cell in zip(names, cells, strict=True)
                },
            )

    def remarks(self) -> list[str]:
        return []


def _path_text(cell: object) -> str:
    """Return a path as it is, blanks included."""
    return cell if isinstance(cell, str) else text_or_missing(cell)


def _whole_numbers(table: CsvTable | _ParquetTable) -> Iterable[Row]:
    """Yield the rows with "3" for the "3.0" of columns that hold whole numbers alone.

    A table that lacks some numbers was often saved with all of them as fractions.
    """
    rows = list(table)
    fractions = [
        name
        for name in ("label", "group")
        if name in table.columns
        and all(_WHOLE_NUMBER.fullmatch(row[name]) for _, row in rows if not is_missing(row[name]))
    ]
    for line, row in rows:
        yield line, row | {name: row[name].removesuffix(".0") for name in fractions}


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
    twice = next((name for name in COLUMNS if list(columns).count(name) > 1), None)
    if twice:
        raise ManifestError(f"{str(path)!r} has the column {twice!r} twice")


def _sample(path: AnyPath, line: int, row: dict[str, str]) -> Sample:
    name, split = row["path"], text_or_missing(row.get("split"))
    if split and not split_named(split):
        raise ManifestError(
            f"{str(path)!r}: row {line} has the split {split!r}; known are {', '.join(SPLITS)} "
            "(or valid, validation), or nothing"
        )
    root = path.parent
    return Sample(
        path=Place(name if is_remote(root) or is_url(name) else spelling_on_disk(root, name)),
        label=text_or_missing(row.get("label")) or None,
        split=split_named(split) if split else "",
        group=text_or_missing(row.get("group")),
    )


def _difference(a: Sample, b: Sample) -> str:
    name = next(n for n in ("label", "split", "group") if getattr(a, n) != getattr(b, n))
    return f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
