"""Tables that lie in the folders of their images: metadata.csv, and a column for each class.

The Hugging Face hub's image folders have a metadata.csv or metadata.jsonl with the column file_name
in each folder; Roboflow writes a _classes.csv with a 0 or 1 in the column of each class.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from fishembed._base.csv_files import CsvTable
from fishembed._base.splits import split_named
from fishembed._base.text import counted, listed
from fishembed.errors import FishembedError, ImageError, ManifestError
from fishembed.images.datasets.layout import Layout, describe
from fishembed.images.datasets.listing import Listing
from fishembed.images.datasets.sample import Sample, cell_text, facts_in, metadata_in

FILE_COLUMNS = (
    *("file_name", "filename", "file", "image", "image_path", "filepath", "image_id", "id"),
    *("Path", "Image", "ID", "Id"),
)
LABEL_COLUMNS = (
    *("label", "species", "class", "scientific_name", "scientificName", "category", "Label"),
    *("Class", "Species"),
)
"""What tables call a manifest's path and label."""

_KNOWN = re.compile(r"(?i)metadata\.(csv|tsv|jsonl)|_classes\.csv")
_TEXTS = frozenset({".csv", ".tsv", ".txt", ".json", ".jsonl"})
_MOST_BYTES = 8_000_000
_MOST_TEXTS = 50
_WORD = re.compile(r"[^\s,;:|\"'<>(){}\[\]\\/]+")

Row = tuple[str, str | None, dict[str, str]]
"""Path of an image below the root, its label, and what else is known of it."""


def read_folder_tables(root: Path, listing: Listing, layout: Layout) -> Layout | None:
    """Return what the tables in the folders say of their images; None where there are none.

    The tables must name at least half of all images. What they say of splits comes before what the
    folders say; an image that none names keeps the label of its folder.
    """
    rows: dict[str, Row] = {}
    used = []
    for table in listing.tables:
        if _KNOWN.fullmatch(table.rpartition("/")[2]):
            try:
                found = list(_rows(root / table, table.rpartition("/")[0]))
            except FishembedError:
                continue  # it is named by `unused_tables` when it has images' names
            rows |= {row[0]: row for row in found}
            used.append(table)
    named = [sample for sample in layout.samples if sample.path in rows]
    if not named or 2 * len(named) < len(layout.samples):
        return None
    columns = sorted({name for _, _, facts in rows.values() for name in facts} - {"split", "group"})
    samples = [_with_row(sample, rows.get(sample.path), columns) for sample in layout.samples]
    what = f"{listed(used[:3])}{f' and {len(used) - 3:,} more' if len(used) > 3 else ''}"
    notes = [f"labels and metadata come from {what}, in the folders of the images"]
    if rest := len(samples) - len(named):
        notes.append(f"{counted(rest, 'image')} not in them")
    if double := sum(label is None for _, label, _ in rows.values()):
        notes.append(f"{counted(double, 'image')} without one class in them")
    described = describe(samples, "classes")
    name = PurePosixPath(used[0]).name
    return replace(
        layout, description=f"{name} in the folders: {described}", samples=samples, notes=(*notes,)
    )


def unused_tables(
    root: Path, listing: Listing, samples: Sequence[Sample], notes: Iterable[str]
) -> list[str]:
    """Return a sentence on files that name at least half of the images and are not used.

    Parameters
    ----------
    root, listing
        The folder and what lies in it.
    samples
        Its images.
    notes
        Sentences that were written; tables named in them are not named again.
    """
    if not listing.tables:
        return []
    names = {sample.path.rpartition("/")[2] for sample in samples}  # of a million, no Path each
    stems = {stem for name in names if len(stem := name.rpartition(".")[0] or name) > 2}
    sentences = " ".join(notes)
    found = []
    for table in listing.tables[:_MOST_TEXTS]:
        place = root / table
        if PurePosixPath(table).name in sentences or place.suffix.lower() not in _TEXTS:
            continue
        words = _words(place)
        hits = max(len(names & words), len(stems & words))
        if hits > 1 and (2 * hits >= len(samples) or _names_its_own(table, words, samples)):
            found.append(table)
    if not found:
        return []
    more = f" and {len(found) - 3:,} more" if len(found) > 3 else ""
    return [
        f"{', '.join(found[:3])}{more}: not used, though images are named there. What counts goes "
        "into a CSV with the columns path,label[,split]: fishembed extract MANIFEST.csv"
    ]


def _names_its_own(table: str, words: set[str], samples: Sequence[Sample]) -> bool:
    """Return whether half of the images of a table's own folder are named in it."""
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


def _rows(place: Path, folder: str) -> Iterator[Row]:
    """Yield what a table says.

    Raises
    ------
    ManifestError
        When it names no files or no classes.
    """
    rows = list(_cells(place))
    columns = list(dict.fromkeys(name for row in rows for name in row))
    file = next((name for name in FILE_COLUMNS if name in columns), None)
    if file is None:
        raise ManifestError(f"{str(place)!r} has no column of files")
    label = next((name for name in LABEL_COLUMNS if name in columns), None)
    others = [name for name in columns if name not in {file, label}]
    classes = [] if label else _class_columns(rows, others)
    for row in rows:
        path = f"{folder}/{row[file]}".lstrip("/")
        if classes:
            ones = [name for name in classes if row.get(name) == "1"]
            yield path, ones[0] if len(ones) == 1 else None, {}
        else:
            facts = {name: row.get(name, "") for name in others}
            yield path, (row.get(label, "") or None) if label else None, facts


def _class_columns(rows: Sequence[Mapping[str, str]], columns: Sequence[str]) -> list[str]:
    """Return the columns of classes: two or more, with 0 and 1 alone in all that are there."""
    cells = {row.get(name, "") for row in rows for name in columns}
    return list(columns) if len(columns) > 1 and cells == {"0", "1"} else []


def _cells(place: Path) -> Iterator[dict[str, str]]:
    if place.suffix.lower() == ".jsonl":
        try:
            with place.open(encoding="utf-8-sig") as lines:
                for line in lines:
                    if line.strip():
                        document = json.loads(line)
                        yield {**metadata_in(document), **facts_in(document)}
        except (OSError, ValueError, RecursionError, ImageError) as error:
            raise ManifestError(f"cannot read {str(place)!r}: {error}") from error
        return
    for _, row in CsvTable(place, ManifestError, skip_bad_rows=True):
        yield {name: cell_text(cell).strip() for name, cell in row.items() if name}


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
