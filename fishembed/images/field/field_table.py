"""What is common to tables of the field: images, what was seen on them, and where they lie."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from urllib.parse import unquote, urlsplit

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import text_or_missing
from fishembed._base.paths import Place, is_url
from fishembed._base.text import counted
from fishembed.errors import ManifestError
from fishembed.images.datasets.box_files import FoundBox
from fishembed.images.datasets.sample import Sample, cell_text

Row = Mapping[str, str]


@dataclass
class FieldTable:
    """Images of a package or an export, as samples or boxes.

    Attributes
    ----------
    kind
        What it is, in words.
    samples
        Images without boxes.
    boxes
        What stands in their place where any image has a box.
    left_out
        (name, reason) of rows that are no samples.
    notes
        What had to be decided.
    """

    kind: str
    samples: list[Sample] = field(default_factory=list)
    boxes: list[FoundBox] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table_rows(path: Path) -> Iterator[Row]:
    """Yield the rows of a CSV, "" for every spelling of missing."""
    for _, row in CsvTable(path, ManifestError, skip_bad_rows=True):
        yield {name: text_or_missing(cell) for name, cell in row.items()}


def metadata_of(row: Row, names: tuple[str, ...]) -> dict[str, str]:
    """Return some cells of a row as metadata of a sample, those that are there."""
    return {name: cell_text(row[name]) for name in names if name in row}


class ImagePlaces:
    """Finds the images that a table names, by path, by name, or at their URL.

    Parameters
    ----------
    root
        Folder of the table. What lies in it is preferred to what a URL says.
    """

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        files = (path for path in self._root.rglob("*") if path.is_file())
        paths = [path.relative_to(self._root).as_posix() for path in files]
        self._paths = set(paths)
        counts = Counter(PurePosixPath(path).name for path in paths)
        self._by_name = {
            PurePosixPath(path).name: path
            for path in paths
            if counts[PurePosixPath(path).name] == 1
        }

    def find(self, *names: str) -> str | None:
        """Return the path of the first that is there, below the root, else the first URL.

        None where there is neither, and for what leads out of the folder.
        """
        for name in names:
            if not name:
                continue
            path = unquote(urlsplit(name).path) if is_url(name) else name.replace("\\", "/")
            here = path.lstrip("/").removeprefix("./")
            if here in self._paths:
                return here
            if (alone := self._by_name.get(PurePosixPath(here).name)) is not None:
                return alone
        return next((Place(name) for name in names if is_url(name)), None)


def several_classes_note(images: int) -> list[str]:
    """Return the note on images that show several classes, which have no label."""
    if not images:
        return []
    return [f"{counted(images, 'image')} with several species and no boxes: without a class"]
