"""A manifest: a CSV or Parquet table that names the images."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, NamedTuple

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import is_missing, text_or_missing
from fishembed._base.paths import Place, is_remote, is_url
from fishembed._base.remote_files import remote_errors
from fishembed._base.splits import SPLITS, split_named
from fishembed._base.text import did_you_mean
from fishembed.errors import ManifestError, MissingExtraError
from fishembed.images.datasets.box_files import (
    BOX_COLUMNS,
    other_box_columns,
    with_box_columns,
)
from fishembed.images.datasets.listing import images_by_name, list_folder
from fishembed.images.datasets.path_spelling import spelling_on_disk
from fishembed.images.datasets.sample import NO_METADATA, Sample, cell_text
from fishembed.images.datasets.spreadsheet import SPREADSHEETS, SpreadsheetTable

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

COLUMNS = ("path", "label", "split", "group")
_PARQUET = frozenset({".parquet", ".pq"})
MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"}) | _PARQUET | SPREADSHEETS
_PARQUET_START = b"PAR1"
_WHOLE_NUMBER = re.compile(r"-?\d+\.0")

_FOREIGN: Mapping[str, Mapping[str, str]] = {
    "iNaturalist": {"path": "image_url", "label": "scientific_name", "group": "id"},
    "FathomNet": {"path": "url", "label": "concept"},
}
"""What the columns of well-known exports are, which have no column called path."""

_FOREIGN_COLUMNS = frozenset(column for one in _FOREIGN.values() for column in one.values())

Row = tuple[int, dict[str, str]]


class Manifest(NamedTuple):
    """Samples of a manifest, and rows that are none.

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


def read_manifest(path: AnyPath, named: Mapping[str, str] | None = None) -> Manifest:
    """List the images of a manifest.

    Parameters
    ----------
    path
        CSV in any dialect that `CsvTable` reads, Parquet or .xlsx, with the columns
        path[, label][, split][, group]. Paths are absolute, or relative to the file.
        All further columns are metadata of the images. With x, y, width and height, in pixels or
        in shares of the image, a row is a box, and an image may have several; so it is with
        corners (xmin, ymin, xmax, ymax) and the other names of `other_box_columns`.
    named
        The columns of a table that calls them otherwise, such as {"path": "file_name"}.

    Raises
    ------
    ManifestError
        When `path` is missing or a known column misspelt, when a split is unknown, when two
        rows give one image different labels, splits or groups, or when no image exists.
    MissingExtraError
        When a Parquet file is given and pyarrow is not installed.
    """
    named = dict(named or {})
    table = _open_table(path, {*COLUMNS, *named.values(), *_FOREIGN_COLUMNS})
    whose = "" if named else next((one for one in _FOREIGN if _is_export(table.columns, one)), "")
    named = named or dict(_FOREIGN.get(whose, {}))
    if not table.columns:
        raise ManifestError(f"{str(path)!r} is empty: its first row must name the columns")
    _check_columns(path, table.columns, named)
    column = {name: named.get(name, name) for name in COLUMNS}
    further = [name for name in table.columns if name and name not in column.values()]
    box_columns = other_box_columns(further)
    samples: dict[tuple[str, ...], tuple[int, Sample]] = {}
    left_out: list[tuple[int, str]] = []
    differing: set[str] = set()
    for line, cells in _whole_numbers(table, (column["label"], column["group"])):
        row = {name: cells[found] for name, found in column.items() if found in cells}
        if is_missing(row["path"]):
            if any(cells.values()):
                left_out.append((line, f"row {line} has an empty path"))
            continue
        metadata = {name: cell_text(cells[name]) for name in further}
        metadata = _with_box(path, line, metadata, box_columns)
        sample = _sample(path, line, row, metadata)
        key = (sample.path, *(metadata.get(name, "") for name in BOX_COLUMNS))
        before, known = samples.setdefault(key, (line, sample))
        if known.metadata != sample.metadata:
            samples[key] = before, _agreed(known, sample, differing)
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
    notes = list(table.remarks())
    if not any(_may_exist(path.parent, sample.path) for sample in found):
        found, note = _found_by_name(path, found, notes)
        notes.append(note)
    without = tuple((f"{path.name}, row {line}", reason) for line, reason in left_out)
    if whose:
        columns = ", ".join(f"{name} from {column}" for name, column in named.items())
        notes.append(f"{path.name} is read as an export of {whose}: {columns}")
    notes += _numbers_for_names(found)
    if box_columns:
        notes.append(f"{path.name} is read as a table of boxes: {', '.join(box_columns)}")
    if differing:
        notes.append(
            f"rows of one image differ in {', '.join(sorted(differing))}: their values are left "
            "empty there"
        )
    return Manifest(found, without, tuple(notes))


def _with_box(
    path: AnyPath, line: int, metadata: dict[str, str], columns: Sequence[str]
) -> dict[str, str]:
    try:
        return with_box_columns(metadata, columns) if columns else metadata
    except ValueError as error:
        where = f"{str(path)!r}, row {line}"
        raise ManifestError(f"{where}: a box that cannot be read: {error}") from error


def _numbers_for_names(samples: Sequence[Sample]) -> list[str]:
    """Return a sentence where all classes are called by numbers."""
    classes = {sample.label for sample in samples if sample.label}
    if len(classes) < 2 or not all(name.isdecimal() for name in classes):
        return []
    first, last = min(classes, key=int), max(classes, key=int)
    return [
        f"the names of all classes are numbers, {first} to {last}: --label-column takes a column "
        "with their names, if there is one"
    ]


def _is_export(columns: Sequence[str], whose: str) -> bool:
    return "path" not in columns and set(_FOREIGN[whose].values()) <= set(columns)


def _open_table(path: AnyPath, core: Container[str]) -> CsvTable | _ParquetTable | SpreadsheetTable:
    if path.suffix.lower() in SPREADSHEETS:
        return SpreadsheetTable(path)
    if _is_parquet(path):
        return _ParquetTable(path, core)
    return CsvTable(path, ManifestError, skip_bad_rows=True)


def _agreed(known: Sample, other: Sample, differing: set[str]) -> Sample:
    """Return a sample without the metadata that another row contradicts."""
    odd = {
        name
        for name, value in known.metadata.items()
        if value and other.metadata[name] and value != other.metadata[name]
    }
    differing |= odd
    metadata = {
        name: "" if name in odd else value or other.metadata[name]
        for name, value in known.metadata.items()
    }
    return replace(known, metadata=metadata)


def _found_by_name(
    path: AnyPath, samples: Sequence[Sample], remarks: Sequence[str]
) -> tuple[list[Sample], str]:
    """Return samples with the paths of images below the manifest's folder that have their names.

    Tables often name images without their folder, or without their ending. A name that several
    images have finds none of them.

    Raises
    ------
    ManifestError
        When fewer than half of the images are found, or two paths have the name of one image.
    """
    places = {} if is_remote(path) else images_by_name(list_folder(Path(path.parent)).images)
    names = {one.path: PurePosixPath(one.path.replace("\\", "/")).name for one in samples}
    known = {path: places[name] for path, name in names.items() if name in places}
    if 2 * len(known) < len(names) or len(set(known.values())) < len(known):
        raise ManifestError(
            f"{str(path)!r}: none of its {len(samples):,} images exists; the first would be "
            f"{str(path.parent / samples[0].path)!r}. Relative paths start at the manifest's folder"
            + "".join(f". {remark}" for remark in remarks)
        )
    name, first = next(iter(known.items()))
    note = (
        f"{path.name} names images without their folder or ending: {len(known):,} of "
        f"{len(names):,} were found by their names, such as {str(name)!r}, which is {first!r}"
    )
    return [replace(one, path=Place(known.get(one.path, one.path))) for one in samples], note


def _may_exist(root: AnyPath, path: str) -> bool:
    """Return whether an image is there; those elsewhere show when they are listed or read."""
    if is_remote(root) or is_url(path):
        return True
    try:
        return (root / path).is_file() or (root / path.rpartition("#t=")[0]).is_file()
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

    def __init__(self, path: AnyPath, core: Container[str]) -> None:
        try:
            import pyarrow as pa
            from pyarrow import parquet
        except ImportError as error:
            raise MissingExtraError("a Parquet manifest", "pyarrow", "parquet") from error
        try:
            with remote_errors(path), path.open("rb") as file:
                schema = parquet.read_schema(file)
                flat = [
                    field.name
                    for field in schema
                    if field.name in core or not _is_odd(pa.types, field.type)
                ]
                self._table = parquet.read_table(file, columns=flat)
                self.columns = flat
        except (OSError, pa.ArrowException) as error:
            raise ManifestError(f"cannot read {str(path)!r} as Parquet: {error}") from error
        self.bad_rows: list[tuple[int, str]] = []

    def __iter__(self) -> Iterator[Row]:
        names = self._table.column_names
        columns = [self._table[name].to_pylist() for name in names]
        for line, cells in enumerate(zip(*columns, strict=True), start=1):
            yield (
                line,
                {name: _plain_text(cell) for name, cell in zip(names, cells, strict=True)},
            )

    def remarks(self) -> list[str]:
        return []


def _is_odd(types: Any, kind: Any) -> bool:
    """Return whether a type is a list, a structure or bytes, which are no cells of a table."""
    return bool(types.is_nested(kind) or types.is_binary(kind) or types.is_large_binary(kind))


def _plain_text(cell: object) -> str:
    """Return text as it is, blanks included: it may be a path."""
    return cell if isinstance(cell, str) else text_or_missing(cell)


def _whole_numbers(
    table: CsvTable | _ParquetTable | SpreadsheetTable, columns: Sequence[str]
) -> Iterable[Row]:
    """Yield the rows with "3" for the "3.0" of those columns that hold whole numbers alone.

    A table that lacks some numbers was often saved with all of them as fractions.
    """
    rows = list(table)
    fractions = [
        name
        for name in columns
        if name in table.columns
        and all(_WHOLE_NUMBER.fullmatch(row[name]) for _, row in rows if not is_missing(row[name]))
    ]
    for line, row in rows:
        yield line, row | {name: row[name].removesuffix(".0") for name in fractions}


def _check_columns(path: AnyPath, columns: Sequence[str], named: Mapping[str, str]) -> None:
    for name, column in named.items():
        if column not in columns:
            raise ManifestError(
                f"{str(path)!r} has no column {column!r} (--{name}-column)"
                f"{did_you_mean(column, columns) or '.'} Its columns are "
                f"{', '.join(map(repr, columns))}"
            )
    missing = [name for name in COLUMNS if name not in columns and name not in named]
    used = {*COLUMNS, *named.values()}
    for unknown in (name for name in columns if name not in used and not named):
        if hint := did_you_mean(unknown, missing, most=1, cutoff=0.7, starts=False):
            raise ManifestError(
                f"{str(path)!r} has a column {unknown!r}{hint} Known columns are "
                f"{', '.join(COLUMNS)}"
            )
    if "path" in missing:
        raise ManifestError(
            f"{str(path)!r} has no column 'path'; its columns are "
            f"{', '.join(map(repr, columns)) or 'none'}: --path-column names the one that has them"
        )
    twice = next((name for name in columns if name and list(columns).count(name) > 1), None)
    if twice:
        raise ManifestError(f"{str(path)!r} has the column {twice!r} twice")


def _sample(
    path: AnyPath, line: int, row: Mapping[str, str], metadata: Mapping[str, str]
) -> Sample:
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
        metadata=metadata or NO_METADATA,
    )


def _difference(a: Sample, b: Sample) -> str:
    name = next(n for n in ("label", "split", "group") if getattr(a, n) != getattr(b, n))
    return f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"
