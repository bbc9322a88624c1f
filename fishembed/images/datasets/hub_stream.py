"""Parquet files of a dataset of the hub, read where they lie: rows first, images when wanted.

Of each file the columns without images are read to list its rows, in their order; an image comes
with its row group, by a range of bytes. Nothing is kept on this machine but what is in hand, and a
broken extraction goes on where it stopped, as with any other source.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from fishembed._base.paths import is_url
from fishembed.errors import ImageError
from fishembed.images.decoding.image_bytes import stamp

_GROUPS_KEPT = 2
_LOCK = threading.Lock()


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
        """What is read with it."""
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


@dataclass(frozen=True)
class StreamedSplit:
    """The rows of one split.

    Attributes
    ----------
    features
        Types of the columns, by name, as `datasets` has them.
    files
        Its Parquet files, in their order.
    """

    features: Mapping[str, Any]
    files: Sequence[str]

    def __len__(self) -> int:
        return sum(_opened(file).metadata.num_rows for file in self.files)

    def facts(self, columns: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Yield the cells of each row in some columns."""
        for file in self.files:
            opened = _opened(file)
            for group in range(opened.num_row_groups):
                rows = opened.metadata.row_group(group).num_rows
                yield from (
                    opened.read_row_group(group, columns=list(columns)).to_pylist()
                    if columns
                    else ({} for _ in range(rows))
                )

    def images(self, column: str) -> Iterator[StreamedImage]:
        """Yield where the image of each row lies."""
        for file in self.files:
            metadata = _opened(file).metadata
            state = _state(file)
            for group in range(metadata.num_row_groups):
                about = metadata.row_group(group)
                size = max(1, about.total_byte_size // max(1, about.num_rows))
                mark = stamp(*state, group)
                for row in range(about.num_rows):
                    yield StreamedImage(file, column, group, row, (size, mark + row))


def streamed_splits(name: str, split: str | None) -> dict[str, StreamedSplit] | None:
    """Return the splits of a dataset whose files are Parquet; None where they are others.

    Raises
    ------
    Exception
        Whatever `datasets` raises of the network and of files.
    """
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
        found[str(one)] = StreamedSplit(features, files)
    return found


def _state(file: str) -> tuple[object, ...]:
    if is_url(file):  # its name has the revision of the dataset
        return (file, _opened(file).metadata.num_rows)
    state = Path(file).stat()
    return file, state.st_size, state.st_mtime_ns


@lru_cache(64)
def _opened(file: str) -> Any:
    from pyarrow import parquet

    if not is_url(file):
        return parquet.ParquetFile(file)
    import fsspec

    return parquet.ParquetFile(fsspec.open(file, "rb").open())


@lru_cache(_GROUPS_KEPT)
def _row_group(file: str, column: str, group: int, mark: int) -> Any:  # noqa: ARG001 - the key
    from pyarrow import parquet

    if is_url(file):
        return _opened(file).read_row_group(group, columns=[column])[column]
    with parquet.ParquetFile(file) as opened:  # a process that was forked shares no position
        return opened.read_row_group(group, columns=[column])[column]
