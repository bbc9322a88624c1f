"""Image datasets of the Hugging Face hub, or Parquet copies of them: hf:OWNER/NAME[:SPLIT].

Parquet files are read where they lie: the columns without images list the rows, in their order; an
image is read with its row group when needed, by a range of bytes. Nothing is stored on this
machine's disk, and a broken extraction resumes where it stopped. Other files are downloaded once,
to the hub's own cache.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fishembed._base.paths import is_url
from fishembed._base.splits import split_named
from fishembed._base.text import counted
from fishembed.errors import ImageError, MissingExtraError, SourceError
from fishembed.images.datasets.samples import Dataset, Sample, class_names
from fishembed.images.datasets.table_reading import LABEL_KEYS, cell_text
from fishembed.images.decoding.image_bytes import ImageBytes, read_bytes, stamp

PREFIX = "hf:"
_NAME = re.compile(r"hf:(?P<name>.+?)(?::(?P<split>[\w.+-]+))?")
_LABELS = (*LABEL_KEYS, "labels", "species", "category", "fine_label")
_GROUPS_CACHED = 2
_LOCK = threading.Lock()


def read_hub_dataset(named: str) -> Dataset:
    """List the images of a dataset of the hub, or of a folder with Parquet files in its layout.

    The class is the first column of classes, else one called label, species or the like; splits
    are the dataset's; every further column of text or numbers is metadata. Code of a dataset is
    never run.

    Raises
    ------
    MissingExtraError
        When `datasets` is not installed.
    SourceError
        When there is no such dataset or split, or no column of images.
    """
    match = _NAME.fullmatch(named)
    if match is None:
        raise SourceError(f"{named!r} names no dataset: write hf:OWNER/NAME or hf:OWNER/NAME:SPLIT")
    tables = _tables(match["name"], match["split"])
    rows = [row for split, table in tables.items() for row in _rows(split, table)]
    samples = tuple(sample for sample, _ in rows)
    n = counted(len(class_names(samples)), "class", "classes")
    return Dataset(
        Path(f"{PREFIX}{match['name']}"),
        Path(match["name"]).name + (f"-{match['split']}" if match["split"] else ""),
        f"dataset {match['name']} of the hub with {n}",
        samples,
        {sample.path: image for sample, image in rows},
        kind="hub dataset",
    )


def _tables(name: str, split: str | None) -> Mapping[str, Any]:
    """Return the rows of each split, or of the one that is named."""
    try:
        import datasets
    except ImportError as error:
        raise MissingExtraError("a dataset of the hub", "datasets", "hf") from error
    progress = datasets.utils.logging.is_progress_bar_enabled()
    datasets.disable_progress_bars()
    try:
        found = _streamed_splits(name, split) or datasets.load_dataset(name, split=split)
    except Exception as error:  # the library raises anything, of the network and of files
        words = " ".join(str(error).split())[:300]
        raise SourceError(f"cannot load the dataset {name!r} of the hub: {words}") from error
    finally:
        if progress:
            datasets.enable_progress_bars()
    return found if isinstance(found, dict) else {split or "": found}


def _rows(split: str, table: Any) -> Iterator[tuple[Sample, ImageBytes]]:
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
    if isinstance(table, _StreamedSplit):
        places, facts = table.images(column), table.facts(wanted)
    else:
        places, facts = _arrow_images(table, column), table.select_columns(wanted)
    width = len(str(max(0, len(table) - 1)))
    rows: Iterator[tuple[ImageBytes, Mapping[Any, Any]]] = zip(places, facts, strict=True)
    for number, (image, row) in enumerate(rows):
        found = row.get(label)
        if names is not None:
            found = names[found] if isinstance(found, int) and 0 <= found < len(names) else None
        sample = Sample(
            f"{split or 'all'}/{number:0{width}d}",
            cell_text(found) or None,
            split_named(re.split(r"[\[+]", split)[0]),
            metadata={name: cell_text(row[name]) for name in plain},
        )
        yield sample, image


@dataclass(frozen=True)
class _StreamedSplit:
    """The rows of one split: the types of its columns, by name, and its Parquet files."""

    features: Mapping[str, Any]
    files: Sequence[str]

    def __len__(self) -> int:
        return sum(_opened(file).metadata.num_rows for file in self.files)

    def facts(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the cells of each row in some columns."""
        for opened in map(_opened, self.files):
            for group in range(opened.num_row_groups):
                if columns:
                    yield from opened.read_row_group(group, columns=list(columns)).to_pylist()
                else:
                    yield from ({} for _ in range(opened.metadata.row_group(group).num_rows))

    def images(self, column: str) -> Iterator[StreamedImage]:
        """Yield where the image of each row lies."""
        for file in self.files:
            metadata, state = _opened(file).metadata, _state(file)
            for group in range(metadata.num_row_groups):
                about = metadata.row_group(group)
                size = max(1, about.total_byte_size // max(1, about.num_rows))
                mark = stamp(*state, group)
                for row in range(about.num_rows):
                    yield StreamedImage(file, column, group, row, (size, mark + row))


def _streamed_splits(name: str, split: str | None) -> dict[str, _StreamedSplit] | None:
    """Return the splits of a dataset whose files are Parquet; None where they are others."""
    import datasets

    builder = datasets.load_dataset_builder(name)
    data_files = builder.config.data_files
    if builder.dataset_name is None or type(builder).__module__.split(".")[-1] != "parquet":
        return None
    if not data_files or (split is not None and split not in data_files):
        return None
    found = {}
    for one in data_files if split is None else [split]:
        files = [str(file) for file in data_files[str(one)]]
        features = builder.info.features or datasets.Features.from_arrow_schema(
            _opened(files[0]).schema_arrow
        )
        found[str(one)] = _StreamedSplit(features, files)
    return found


@dataclass(frozen=True)
class StreamedImage:
    """An image in a row group of a Parquet file; see `ImageBytes`."""

    file: str
    column: str
    group: int
    row: int
    state: tuple[int, int]

    @property
    def together(self) -> object:
        """Key of the images that are read together: those of its row group."""
        return self.file, self.group

    def read(self) -> bytes:
        """Read it whole."""
        try:
            with _LOCK:  # neighbours want the same row group: the second one finds it there
                cells = _row_group(self.file, self.column, self.group, self.state[1] - self.row)
            cell = cells[self.row].as_py()
        except Exception as error:  # file systems of fsspec raise anything
            words = " ".join(str(error).split())[:200]
            raise ImageError(f"its table cannot be read: {words}") from error
        data = cell.get("bytes") if isinstance(cell, dict) else None
        if not data:
            raise ImageError("its cell is empty")
        return bytes(data)


def _state(file: str) -> tuple[object, ...]:
    if is_url(file):  # its name has the revision of the dataset
        return (file, _opened(file).metadata.num_rows)
    state = Path(file).stat()
    return file, state.st_size, state.st_mtime_ns


@lru_cache(64)
def _opened(file: str) -> Any:
    import fsspec
    from pyarrow import parquet

    return parquet.ParquetFile(fsspec.open(file, "rb").open() if is_url(file) else file)


@lru_cache(_GROUPS_CACHED)
def _row_group(file: str, column: str, group: int, mark: int) -> Any:  # noqa: ARG001 - the key
    from pyarrow import parquet

    if is_url(file):
        return _opened(file).read_row_group(group, columns=[column])[column]
    with parquet.ParquetFile(file) as opened:  # a process that was forked shares no position
        return opened.read_row_group(group, columns=[column])[column]


@dataclass(frozen=True)
class ArrowImage:
    """An image in a column of an Arrow file; see `ImageBytes`."""

    file: str
    column: str
    row: int
    state: tuple[int, int]

    def read(self) -> bytes:
        """Return the bytes of the image."""
        try:
            cell = _arrow_column(self.file, self.column)[self.row].as_py()
        except (OSError, ValueError, LookupError) as error:
            raise ImageError(f"its table cannot be read: {error}") from error
        if cell is None or not (cell.get("bytes") or cell.get("path")):
            raise ImageError("its cell is empty")
        return cell["bytes"] or read_bytes(cell["path"])


def _arrow_images(table: Any, column: str) -> Iterator[ArrowImage]:
    """Yield where each image lies in the Arrow files of a table, in its order."""
    import pyarrow.compute as pc

    for file in (one["filename"] for one in table.cache_files):
        chunks = [chunk.field("bytes") for chunk in _arrow_column(file, column).chunks]
        lengths = [
            length or 0 for chunk in chunks for length in pc.binary_length(chunk).to_pylist()
        ]
        for row, length in enumerate(lengths):
            yield ArrowImage(file, column, row, (length, stamp(table._fingerprint, row, length)))


@lru_cache(8)
def _arrow_column(file: str, column: str) -> Any:
    """Return a column of an Arrow file, mapped into memory."""
    import pyarrow as pa

    mapped = pa.memory_map(file)
    try:
        table = pa.ipc.open_stream(mapped).read_all()
    except pa.ArrowInvalid:
        table = pa.ipc.open_file(mapped).read_all()
    return table[column]
