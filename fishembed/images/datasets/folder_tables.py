"""Tables that lie in the folders of their images: manifests, metadata.csv, a column for each class.

The Hugging Face hub's image folders have a metadata.csv or metadata.jsonl with the column file_name
in each folder; Roboflow writes a _classes.csv with a 0 or 1 in the column of each class.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fishembed._base.csv_files import CsvTable
from fishembed._base.splits import split_named
from fishembed._base.text import counted, listed
from fishembed.errors import FishembedError, ImageError, ManifestError
from fishembed.images.datasets.folder import Listing
from fishembed.images.datasets.layout import describe
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest
from fishembed.images.datasets.samples import Dataset, Sample
from fishembed.images.datasets.table_reading import (
    FILE_COLUMNS,
    LABEL_COLUMNS,
    facts_in,
    first_of,
    metadata_in,
    text_rows,
)

_KNOWN = re.compile(r"(?i)metadata\.(csv|tsv|jsonl)|_classes\.csv")
_TEXTS = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl"})
_MOST_MANIFESTS = 20
_MOST_TEXTS = 50
_MOST_BYTES = 8_000_000
_WORD = re.compile(r"[^\s,;:|\"'<>(){}\[\]\\/]+")

Row = tuple[str, str | None, dict[str, str]]
"""Path of an image below the root, its label, and its metadata."""


def with_tables(dataset: Dataset, listing: Listing) -> Dataset:
    """Return a folder's dataset with labels and metadata from the tables in it, if any.

    A manifest in the folder itself comes first, then the tables in the folders. Notes name tables
    that are not used.
    """
    found, notes = _with_manifest(dataset, listing)
    if found is None and (found := _with_folder_tables(dataset, listing)):
        notes = []
    dataset = found or dataset
    notes += _unused_tables(dataset, listing, [*notes, *dataset.notes, dataset.layout])
    return replace(dataset, notes=(*dataset.notes, *notes))


def _with_manifest(dataset: Dataset, listing: Listing) -> tuple[Dataset | None, list[str]]:
    """Return the dataset by the only manifest in a folder, or None; and notes.

    It must have the columns path and label or split, and name at least half of the images.
    """
    root = Path(str(dataset.root))
    found, notes = _manifests(root, listing)
    if len(found) != 1:
        return None, notes + [_not_used(root / table, "it is one of several") for table, _ in found]
    ((table, samples),) = found
    named = {sample.path for sample in samples}
    without = [path for path in listing.images if path not in named]
    notes.append(
        f"{table}, found beside the images, says what they are; move it away to have the folders "
        "read as classes"
    )
    if without:
        notes.append(f"{counted(len(without), 'image')} not in {table}, the first: {without[0]!r}")
    with_manifest = replace(
        dataset,
        layout=f"manifest {table} beside the images: {describe(samples, 'classes')}",
        samples=samples,
        notes=(),
        unread=(*dataset.unread, *((path, f"not in {table}") for path in without)),
        kind="manifest beside",
        table=table,
    )
    return with_manifest, notes


def _manifests(
    root: Path, listing: Listing
) -> tuple[list[tuple[str, tuple[Sample, ...]]], list[str]]:
    """Return the tables in a folder that name its images as manifests do, and notes on others."""
    images, notes = set(listing.images), []
    found = []
    tables = [t for t in listing.tables if "/" not in t and Path(t).suffix in MANIFEST_SUFFIXES]
    for table in tables[:_MOST_MANIFESTS]:
        try:
            columns = {"path", "label"}
            if Path(table).suffix in _TEXTS:
                columns = set(CsvTable(root / table).columns)
            if "path" not in columns or not columns & {"label", "split"}:
                if len(columns) > 1 and columns & {*FILE_COLUMNS, *LABEL_COLUMNS}:
                    notes.append(_columns_to_name(root / table, columns))
                continue
            samples = read_manifest(root / table).samples
        except FishembedError as error:
            if "path" in str(error):
                notes.append(_not_used(root / table, "it cannot be read as a manifest"))
            continue
        if 2 * len(images & {sample.path for sample in samples}) >= len(images):
            found.append((table, samples))
        else:
            notes.append(_not_used(root / table, "it does not name these images"))
    return found, notes


def _columns_to_name(table: Path, columns: set[str]) -> str:
    """Return the options to type for a table with other column names."""
    file = None if "path" in columns else first_of(FILE_COLUMNS, columns)
    label = None if "label" in columns else first_of(LABEL_COLUMNS, columns)
    if "label" not in columns and label is None and len(columns) == 2:
        label = next((one for one in columns if one not in FILE_COLUMNS), None)
    options = "".join(
        f" --{name}-column {shlex.quote(column)}"
        for name, column in (("path", file), ("label", label))
        if column is not None
    )
    return _not_used(table, "it has no columns path and label", options)


def _not_used(table: Path, why: str, options: str = "") -> str:
    command = f"fishembed extract {shlex.quote(str(table))}{options}"
    return f"{table.name} is not used: {why}. To use it as a manifest: {command}"


def _with_folder_tables(dataset: Dataset, listing: Listing) -> Dataset | None:
    """Return the dataset by the tables in the sub-folders; None where there are none.

    The tables must name at least half of all images. Their splits come before those of the
    folders; an image that none names has the label of its folder.
    """
    rows: dict[str, Row] = {}
    used = []
    for table in listing.tables:
        folder, _, name = table.rpartition("/")
        if _KNOWN.fullmatch(name):
            try:
                rows |= {row[0]: row for row in _rows(Path(str(dataset.root), table), folder)}
            except FishembedError:
                continue  # it is named by `_unused_tables` when it has images' names
            used.append(table)
    named = sum(sample.path in rows for sample in dataset.samples)
    if not named or 2 * named < len(dataset.samples):
        return None
    columns = sorted({name for _, _, facts in rows.values() for name in facts} - {"split", "group"})
    samples = [_with_row(sample, rows.get(sample.path), columns) for sample in dataset.samples]
    what = f"{listed(used[:3])}{f' and {len(used) - 3:,} more' if len(used) > 3 else ''}"
    notes = [f"labels and metadata come from {what}, in the folders of the images"]
    if rest := len(samples) - named:
        notes.append(f"{counted(rest, 'image')} not in them")
    if double := sum(label is None for _, label, _ in rows.values()):
        notes.append(f"{counted(double, 'image')} without one class in them")
    layout = f"{PurePosixPath(used[0]).name} in the folders: {describe(samples, 'classes')}"
    return replace(dataset, layout=layout, samples=tuple(samples), notes=tuple(notes))


def _rows(place: Path, folder: str) -> Iterator[Row]:
    """Yield the rows of a table.

    Raises
    ------
    ManifestError
        When it names no files or no classes.
    """
    rows = list(_documents(place) if place.suffix.lower() == ".jsonl" else text_rows(place))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    file = first_of(FILE_COLUMNS, columns)
    if file is None:
        raise ManifestError(f"{str(place)!r} has no column of files")
    label = first_of(LABEL_COLUMNS, columns)
    others = [name for name in columns if name not in {file, label}]
    cells = {row.get(name, "") for row in rows for name in others}
    has_classes = label is None and len(others) > 1 and cells == {"0", "1"}
    for row in rows:
        path = f"{folder}/{row.get(file, '')}".lstrip("/")
        if has_classes:
            ones = [name for name in others if row.get(name) == "1"]
            yield path, ones[0] if len(ones) == 1 else None, {}
        else:
            facts = {name: row.get(name, "") for name in others}
            yield path, (row.get(label, "") or None) if label else None, facts


def _documents(place: Path) -> Iterator[dict[str, str]]:
    """Yield the lines of a .jsonl file as rows."""
    try:
        with place.open(encoding="utf-8-sig") as lines:
            for line in lines:
                if line.strip():
                    document = json.loads(line)
                    yield {**metadata_in(document), **facts_in(document)}
    except (OSError, ValueError, RecursionError, ImageError) as error:
        raise ManifestError(f"cannot read {str(place)!r}: {error}") from error


def _with_row(sample: Sample, row: Row | None, columns: Sequence[str]) -> Sample:
    if row is None:
        return replace(sample, metadata=dict.fromkeys(columns, ""))
    _, label, facts = row
    return replace(
        sample,
        label=label,
        split=split_named(facts.get("split", "")) or sample.split,
        group=facts.get("group", ""),
        metadata={name: facts.get(name, "") for name in columns},
    )


def _unused_tables(dataset: Dataset, listing: Listing, notes: Iterable[str]) -> list[str]:
    """Return a sentence on files that name at least half of the images and are not used.

    Tables that are named in the notes are not named again.
    """
    samples, sentences = dataset.samples, " ".join(notes)
    names = {sample.path.rpartition("/")[2] for sample in samples}  # of a million, no Path each
    stems = {stem for name in names if len(stem := name.rpartition(".")[0] or name) > 2}
    found = []
    for table in listing.tables[:_MOST_TEXTS]:
        place = Path(str(dataset.root), table)
        if place.name in sentences or place.suffix.lower() not in _TEXTS:
            continue
        words = _words(place)
        hits = max(len(names & words), len(stems & words))
        if hits > 1 and (2 * hits >= len(samples) or _names_own_images(table, words, samples)):
            found.append(table)
    if not found:
        return []
    more = f" and {len(found) - 3:,} more" if len(found) > 3 else ""
    return [
        f"{', '.join(found[:3])}{more}: not used, though images are named there. What counts goes "
        "into a CSV with the columns path,label[,split]: fishembed extract MANIFEST.csv"
    ]


def _names_own_images(table: str, words: set[str], samples: Sequence[Sample]) -> bool:
    """Return whether a table names half of the images in its own folder."""
    folder = table.rpartition("/")[0]
    own = [one.path.rpartition("/")[2] for one in samples if one.path.startswith(f"{folder}/")]
    return bool(folder) and 2 * sum(name in words for name in own) >= len(own) > 0


def _words(place: Path) -> set[str]:
    try:
        if not place.is_file() or place.stat().st_size > _MOST_BYTES:
            return set()
        return set(_WORD.findall(place.read_text(encoding="utf-8", errors="replace")))
    except OSError:
        return set()
