"""A manifest that lies in the folder of its images."""

from __future__ import annotations

from pathlib import Path

from fishembed._base.tables.csv_files import CsvTable
from fishembed._base.text import counted
from fishembed.errors import FishembedError
from fishembed.images.datasets.layout import Layout, describe
from fishembed.images.datasets.listing import Listing
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest

_MOST_TABLES = 20


def manifest_beside(root: Path, listing: Listing) -> tuple[Layout | None, list[str]]:
    """Return what the only manifest in a folder says of the images, or None; and notes.

    It must have the columns path and label or split, and name at least half of the images.
    """
    images, found, notes = set(listing.images), [], []
    tables = [t for t in listing.tables if "/" not in t and Path(t).suffix in MANIFEST_SUFFIXES]
    for table in tables[:_MOST_TABLES]:
        try:
            if Path(table).suffix not in {".parquet", ".pq"}:
                columns = set(CsvTable(root / table).columns)
                if "path" not in columns or not columns & {"label", "split"}:
                    if columns & {"label", "class", "species", "file_name", "filename", "image"}:
                        notes.append(_unused(table, "it has no columns path and label"))
                    continue
            samples = read_manifest(root / table).samples
        except FishembedError as error:
            if "path" in str(error):
                notes.append(_unused(table, "it cannot be read as a manifest"))
            continue
        if 2 * len(images & {sample.path for sample in samples}) >= len(images):
            found.append((table, samples))
        else:
            notes.append(_unused(table, "it does not name these images"))
    if len(found) != 1:
        return None, notes + [_unused(table, "it is one of several") for table, _ in found]
    ((table, samples),) = found
    named = {sample.path for sample in samples}
    left = tuple((path, f"not in {table}") for path in listing.images if path not in named)
    notes.append(
        f"{table}, found beside the images, says what they are; move it away to have the folders "
        "read as classes"
    )
    if left:
        notes.append(f"{counted(len(left), 'image')} not in {table}, the first: {left[0][0]!r}")
    description = f"manifest {table} beside the images: {describe(samples)}"
    return Layout(description, samples, (), left), notes


def _unused(table: str, why: str) -> str:
    return f"{table} is not used: {why}. Give its path to use it as a manifest"
