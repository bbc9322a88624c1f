"""Image datasets of the Hugging Face hub, or Parquet copies of them: hf:OWNER/NAME[:SPLIT]."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fishembed._base.splits import split_named
from fishembed._base.text import counted
from fishembed.errors import ImageError, MissingExtraError, SourceError
from fishembed.images.datasets.hub_stream import StreamedSplit, streamed_splits
from fishembed.images.datasets.sample import LABELS, Sample, cell_text
from fishembed.images.decoding.image_bytes import ImageBytes, read_bytes, stamp

if TYPE_CHECKING:
    from fishembed.images.datasets.open_dataset import Dataset

PREFIX = "hf:"
_NAME = re.compile(r"hf:(?P<name>.+?)(?::(?P<split>[\w.+-]+))?")
_LABELS = (*LABELS, "labels", "species", "category", "fine_label")


@dataclass(frozen=True)
class TableImage:
    """An image in a column of an Arrow file; see `ImageBytes`."""

    file: str
    column: str
    row: int
    state: tuple[int, int]

    def read(self) -> bytes:
        """Return the bytes of the image."""
        try:
            cell = _column(self.file, self.column)[self.row].as_py()
        except (OSError, ValueError, LookupError) as error:
            raise ImageError(f"its table cannot be read: {error}") from error
        if cell is None or not (cell.get("bytes") or cell.get("path")):
            raise ImageError("its cell is empty")
        return cell["bytes"] or read_bytes(cell["path"])


def read_hub_dataset(source: str) -> Dataset:
    """List the images of a dataset of the hub, or of a folder with Parquet files in its layout.

    The class is the first column of classes, else one called label, species or the like; splits
    are the dataset's; every further column of text or numbers is metadata. Parquet files, which
    most datasets have, are streamed: nothing is downloaded but what is being encoded. Others are
    downloaded once, to the hub's own cache; code of a dataset is never run.

    Raises
    ------
    MissingExtraError
        When `datasets` is not installed.
    SourceError
        When there is no such dataset or split, or no column of images.
    """
    from fishembed.images.datasets.open_dataset import Dataset

    match = _NAME.fullmatch(source)
    if match is None:
        raise SourceError(
            f"{source!r} names no dataset: write hf:OWNER/NAME or hf:OWNER/NAME:SPLIT"
        )
    tables = _loaded(match["name"], match["split"])
    samples: list[Sample] = []
    image_bytes: dict[str, ImageBytes] = {}
    for split, table in tables.items():
        for sample, image in _images(split, table):
            samples.append(sample)
            image_bytes[sample.path] = image
    classes = {sample.label for sample in samples} - {None}
    layout = f"dataset {match['name']} of the hub with {counted(len(classes), 'class', 'classes')}"
    name = Path(match["name"]).name + (f"-{match['split']}" if match["split"] else "")
    root = Path(f"{PREFIX}{match['name']}")
    return Dataset(root, name, layout, tuple(samples), image_bytes, kind="hub dataset")


def _loaded(name: str, split: str | None) -> Mapping[str, Any]:
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("a dataset of the hub", "datasets", "hf") from error
    progress = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        found = streamed_splits(name, split) or datasets.load_dataset(name, split=split)
    except Exception as error:  # the library raises anything, of the network and of files
        words = " ".join(str(error).split())[:300]
        raise SourceError(f"cannot load the dataset {name!r} of the hub: {words}") from error
    finally:
        if progress:
            datasets.enable_progress_bars()
    return found if isinstance(found, dict) else {split or "": found}


def _images(split: str, table: Any) -> Iterator[tuple[Sample, ImageBytes]]:
    """Yield the samples of one split, with where their bytes are."""
    import datasets

    features = table.features
    column = next((n for n, f in features.items() if isinstance(f, datasets.Image)), None)
    if column is None:
        raise SourceError(f"the dataset has no column of images: it has {', '.join(features)}")
    classed = [n for n, f in features.items() if isinstance(f, datasets.ClassLabel)]
    named = [n for n in _LABELS if n in features and isinstance(features[n], datasets.Value)]
    label = next(iter((*classed, *named)), None)
    names = features[label].names if label in classed else None
    plain = [n for n, f in features.items() if isinstance(f, datasets.Value) and n != label]
    wanted = [n for n in features if n in {label, *plain}]
    places: Iterator[ImageBytes]
    facts: Iterable[Mapping[Any, Any]]
    if isinstance(table, StreamedSplit):
        places, facts = table.images(column), table.facts(wanted)
    else:
        places, facts = _places(table, column), table.select_columns(wanted)
    width = len(str(max(0, len(table) - 1)))
    rows: Iterator[tuple[ImageBytes, Mapping[Any, Any]]] = zip(places, facts, strict=True)
    for number, (image, row) in enumerate(rows):
        found = row.get(label)
        if names is not None:
            found = names[found] if isinstance(found, int) and 0 <= found < len(names) else None
        yield (
            Sample(
                f"{split or 'all'}/{number:0{width}d}",
                cell_text(found) or None,
                split_named(re.split(r"[\[+]", split)[0]),
                metadata={name: cell_text(row[name]) for name in plain},
            ),
            image,
        )


def _places(table: Any, column: str) -> Iterator[TableImage]:
    """Yield where each image lies in the Arrow files of a table, in its order."""
    for one in table.cache_files:
        cells = _column(one["filename"], column)
        lengths = [len(chunk.field("bytes")) and _lengths(chunk) for chunk in cells.chunks]
        for row, length in enumerate(size for chunk in lengths for size in (chunk or ())):
            mark = stamp(table._fingerprint, row, length)
            yield TableImage(one["filename"], column, row, (length, mark))


def _lengths(chunk: Any) -> list[int]:
    import pyarrow.compute as pc

    return [length or 0 for length in pc.binary_length(chunk.field("bytes")).to_pylist()]


@lru_cache(8)
def _column(file: str, column: str) -> Any:
    """Return a column of an Arrow file, mapped into memory."""
    import pyarrow as pa

    source = pa.memory_map(file)
    try:
        table = pa.ipc.open_stream(source).read_all()
    except pa.ArrowInvalid:
        table = pa.ipc.open_file(source).read_all()
    return table[column]
