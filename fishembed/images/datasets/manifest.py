"""A manifest: a CSV, Parquet or Excel table that names the images."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

from fishembed._base.csv_files import Row
from fishembed._base.missing import is_missing, text_or_missing
from fishembed._base.paths import Place, is_remote, is_url
from fishembed._base.splits import SPLITS, split_named
from fishembed._base.text import did_you_mean
from fishembed.errors import ManifestError
from fishembed.images.datasets.box_files import BOX_COLUMNS, other_box_columns, with_box_columns
from fishembed.images.datasets.folder import is_file, list_folder, paths_by_name, spelling_on_disk
from fishembed.images.datasets.samples import NO_METADATA, Dataset, Sample, class_names
from fishembed.images.datasets.table_reading import (
    PARQUET,
    SPREADSHEETS,
    Table,
    cell_text,
    read_table,
)

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

COLUMNS = ("path", "label", "split", "group")
MANIFEST_SUFFIXES = frozenset({".csv", ".tsv", ".txt"}) | PARQUET | SPREADSHEETS
_WHOLE_NUMBER = re.compile(r"-?\d+\.0")
_GENERIC_NAMES = frozenset({"manifest", "metadata", "labels", "index"})

_EXPORTS: Mapping[str, Mapping[str, str]] = {
    "iNaturalist": {"path": "image_url", "label": "scientific_name", "group": "id"},
    "FathomNet": {"path": "url", "label": "concept"},
}
"""Columns of well-known exports, which have no column called path."""


def read_manifest(path: AnyPath, named: Mapping[str, str] | None = None) -> Dataset:
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
        Other names of the columns in the table, such as {"path": "file_name"}.

    Returns
    -------
    Dataset
        The images in the table's order, without repeated rows; boxes are in their metadata.
        Rows that cannot be used are in `left_out`.

    Raises
    ------
    ManifestError
        When `path` is missing or a known column misspelt, when a split is unknown, when two
        rows have different labels, splits or groups for one image, or when no image exists.
    MissingExtraError
        When a Parquet file is given and pyarrow is not installed.
    """
    named = dict(named or {})
    foreign = {column for one in _EXPORTS.values() for column in one.values()}
    table = read_table(path, {*COLUMNS, *named.values(), *foreign})
    if not table.columns:
        raise ManifestError(f"{str(path)!r} is empty: its first row must name the columns")
    notes = []
    if not named and "path" not in table.columns and (export := _export_of(table.columns)):
        named = dict(_EXPORTS[export])
        columns = ", ".join(f"{name} from {column}" for name, column in named.items())
        notes.append(f"{path.name} is read as an export of {export}: {columns}")
    _check_columns(path, table.columns, named)
    core = {name: named.get(name, name) for name in COLUMNS}
    further = [name for name in table.columns if name and name not in core.values()]
    boxes = other_box_columns(further)
    samples, left_out, differing = _samples(path, table, core, further, boxes)
    remarks = table.remarks
    if not any(_may_exist(path.parent, sample.path) for sample in samples):
        samples, note = _found_by_name(path, samples, remarks)
        remarks = [*remarks, note]
    notes += _numbers_for_names(samples)
    if boxes:
        notes.append(f"{path.name} is read as a table of boxes: {', '.join(boxes)}")
    if differing:
        notes.append(
            f"rows of one image differ in {', '.join(sorted(differing))}: their values are left "
            "empty there"
        )
    root = path.parent if is_remote(path) else path.parent.resolve()
    return Dataset(
        root,
        (root.name if path.stem.lower() in _GENERIC_NAMES else path.stem) or path.stem,
        f"manifest {path.name}",
        tuple(samples),
        notes=(*remarks, *notes),
        left_out=tuple((f"{path.name}, row {line}", reason) for line, reason in left_out),
        kind="manifest",
        table=path.name,
    )


def _export_of(columns: Sequence[str]) -> str | None:
    """Return the well-known export that has such columns."""
    return next((name for name, own in _EXPORTS.items() if {*own.values()} <= {*columns}), None)


def _check_columns(path: AnyPath, columns: Sequence[str], named: Mapping[str, str]) -> None:
    for name, column in named.items():
        if column not in columns:
            raise ManifestError(
                f"{str(path)!r} has no column {column!r} (--{name}-column)"
                f"{did_you_mean(column, columns) or '.'} Its columns are "
                f"{', '.join(map(repr, columns))}"
            )
    missing = [name for name in COLUMNS if name not in columns and name not in named]
    for unknown in (name for name in columns if name not in COLUMNS and not named):
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
    if twice := next((name for name in columns if name and list(columns).count(name) > 1), None):
        raise ManifestError(f"{str(path)!r} has the column {twice!r} twice")


def _samples(
    path: AnyPath,
    table: Table,
    core: Mapping[str, str],
    further: Sequence[str],
    boxes: Sequence[str],
) -> tuple[list[Sample], list[tuple[int, str]], set[str]]:
    """Return the samples, (line, reason) of unusable rows, and columns that contradict themselves.

    `core` has the columns of path, label, split and group, `further` those of metadata, and `boxes`
    those of them that are a box, see `other_box_columns`.
    """
    samples: dict[tuple[str, ...], tuple[int, Sample]] = {}
    left_out: list[tuple[int, str]] = []
    differing: set[str] = set()
    for line, cells in _whole_numbers(table, (core["label"], core["group"])):
        if is_missing(cells[core["path"]]):
            if any(cells.values()):
                left_out.append((line, f"row {line} has an empty path"))
            continue
        metadata = {name: cell_text(cells[name]) for name in further}
        try:
            metadata = with_box_columns(metadata, boxes) if boxes else metadata
        except ValueError as error:
            where = f"{str(path)!r}, row {line}"
            raise ManifestError(f"{where}: a box that cannot be read: {error}") from error
        sample = _sample(path, line, {name: cells.get(core[name]) for name in core}, metadata)
        key = (sample.path, *(metadata.get(name, "") for name in BOX_COLUMNS))
        before, known = samples.setdefault(key, (line, sample))
        if known != sample:
            raise ManifestError(
                f"{str(path)!r}: rows {before} and {line} contradict each other about "
                f"{sample.path!r}: {_difference(known, sample)}"
            )
        if known.metadata != sample.metadata:
            samples[key] = before, _agreed(known, sample, differing)
    left_out = sorted([*table.bad_rows, *left_out])
    if not samples:
        why = f": {left_out[0][1]}" if left_out else ""
        raise ManifestError(f"{str(path)!r} names no image{why}")
    return [sample for _, sample in samples.values()], left_out, differing


def _whole_numbers(table: Table, columns: Sequence[str]) -> Iterator[Row]:
    """Yield the rows, with "3" for "3.0" in columns of whole numbers only.

    A table that lacks some numbers was often saved with all of them as fractions.
    """
    present = [name for name in columns if name in table.columns]
    cells = {name: [row[name] for _, row in table.rows] for name in present}
    fractions = [
        name
        for name in present
        if all(_WHOLE_NUMBER.fullmatch(cell) for cell in cells[name] if not is_missing(cell))
    ]
    for line, row in table.rows:
        yield line, row | {name: row[name].removesuffix(".0") for name in fractions}


def _sample(
    path: AnyPath, line: int, row: Mapping[str, str | None], metadata: Mapping[str, str]
) -> Sample:
    name, split = str(row["path"]), text_or_missing(row["split"])
    if split and not split_named(split):
        raise ManifestError(
            f"{str(path)!r}: row {line} has the split {split!r}; known are {', '.join(SPLITS)} "
            "(or valid, validation), or nothing"
        )
    root = path.parent
    return Sample(
        path=Place(name if is_remote(root) or is_url(name) else spelling_on_disk(root, name)),
        label=text_or_missing(row["label"]) or None,
        split=split_named(split) if split else "",
        group=text_or_missing(row["group"]),
        metadata=metadata or NO_METADATA,
    )


def _difference(a: Sample, b: Sample) -> str:
    name = next(n for n in ("label", "split", "group") if getattr(a, n) != getattr(b, n))
    return f"{name} {getattr(a, name)!r} and {getattr(b, name)!r}"


def _agreed(known: Sample, other: Sample, differing: set[str]) -> Sample:
    """Return a sample without the metadata that another row contradicts."""
    pairs = {name: (value, other.metadata[name]) for name, value in known.metadata.items()}
    odd = {name for name, (a, b) in pairs.items() if a and b and a != b}
    differing |= odd
    metadata = {name: "" if name in odd else a or b for name, (a, b) in pairs.items()}
    return replace(known, metadata=metadata)


def _found_by_name(
    path: AnyPath, samples: Sequence[Sample], remarks: Iterable[str]
) -> tuple[list[Sample], str]:
    """Return samples with the paths of images below the manifest's folder that have their names.

    Tables often name images without their folder, or without their ending. A name that several
    images have finds none of them.

    Raises
    ------
    ManifestError
        When fewer than half of the images are found, or two paths have the name of one image.
    """
    places = {}
    if not is_remote(path):
        places = paths_by_name(list_folder(Path(path.parent)).images, stems=True)
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
    """Return whether an image may exist; those at URLs are checked when listed or read."""
    if is_remote(root) or is_url(path):
        return True
    return is_file(root, path) or is_file(root, path.rpartition("#t=")[0])


def _numbers_for_names(samples: Sequence[Sample]) -> Iterator[str]:
    """Yield a sentence where the names of all classes are numbers."""
    classes = class_names(samples)
    if len(classes) > 1 and all(name.isdecimal() for name in classes):
        first, last = min(classes, key=int), max(classes, key=int)
        yield (
            f"the names of all classes are numbers, {first} to {last}: --label-column takes a "
            "column with their names, if there is one"
        )
