"""The layout of a feature store on disk, and how older layouts become it.

The guide is cache/README.md.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath
    from fishembed.cache.edit_history import Dropped, Edit

from fishembed._base.paths import places_of
from fishembed.cache.metadata import Column, same_metadata, take_metadata
from fishembed.errors import DataError, DimensionError, StoreFormatError

FORMAT = "fishembed"
SCHEMA = 2

FEATURES = "features"
IMAGE = "features/image"
HASH = "hash"
"""Perceptual hashes beside the features of partial files."""
METADATA = "metadata"
METADATA_NAMES = "metadata_names"
TRUNK = "features/trunk"
TEXT = "text"
CHECKSUMS = "checksums"
ATTRIBUTES = "attributes"
CHECKED_ROWS = 64
"""Rows that share one checksum: fine enough to name what was damaged."""


@dataclass(frozen=True)
class Rows:
    """Columns of a store's rows; all have one length.

    Attributes
    ----------
    path
        Relative to the source's root, or absolute.
    digest
        SHA-256 of the file's bytes in hex; "" where it is not known.
    size, mtime_ns
        int64; bytes, and time of the last change. -1 where not known.
    label
        int32 into the store's classes, -1 for none.
    split
        train, val, test or "".
    group
        Rows of one group stay in one split and fold; "" for none.
    box
        float32 (n, 4): x, y, width and height in pixels of the part of the image that the row
        is, NaN where it is the whole image. None, as for the next two, is none known.
    time
        float64 (n,): seconds into its video, NaN where it is of no video.
    hash
        uint8 (n, 16): perceptual hash of the pixels, zeros where it is not known.
    metadata
        What else is known of each image, by name: columns of text or numbers.
    """

    path: Sequence[str]
    digest: Sequence[str]
    size: npt.NDArray[np.int64]
    mtime_ns: npt.NDArray[np.int64]
    label: npt.NDArray[np.int32]
    split: Sequence[str]
    group: Sequence[str]
    box: npt.NDArray[np.float32] = None  # type: ignore[assignment]
    time: npt.NDArray[np.float64] = None  # type: ignore[assignment]
    hash: npt.NDArray[np.uint8] = None  # type: ignore[assignment]
    metadata: Mapping[str, Column] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in OPTIONAL_ARRAYS:
            if getattr(self, name) is None:
                object.__setattr__(self, name, unknown_array(name, len(self.path)))
        names = [name for name in self.__dataclass_fields__ if name != "metadata"]
        lengths = {name: len(getattr(self, name)) for name in names}
        lengths |= {f"metadata {name!r}": len(column) for name, column in self.metadata.items()}
        if len(set(lengths.values())) > 1:
            raise DimensionError(f"columns of unequal length: {lengths}")
        object.__setattr__(self, "path", places_of(self.path))

    def __len__(self) -> int:
        return len(self.path)

    def take(self, rows: Sequence[int] | npt.NDArray[np.integer[Any]]) -> Rows:
        """Return some of the rows, in the order of their numbers."""
        columns: dict[str, Any] = {"metadata": take_metadata(self.metadata, rows)}
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            if name in OPTIONAL_ARRAYS and not is_known(column):
                columns[name] = unknown_array(name, len(rows))
            elif name != "metadata":
                is_array = isinstance(column, np.ndarray)
                columns[name] = (
                    column[np.asarray(rows, np.intp)] if is_array else [column[i] for i in rows]
                )
        return Rows(**columns)

    def is_same(self, other: Rows) -> bool:
        """Return whether other rows describe the same images in the same way."""
        names = self.__dataclass_fields__.keys() - {"metadata", *OPTIONAL_ARRAYS}
        return (
            all(np.array_equal(getattr(self, name), getattr(other, name)) for name in names)
            and all(
                np.array_equal(getattr(self, name), getattr(other, name), equal_nan=name != "hash")
                for name in OPTIONAL_ARRAYS
            )
            and same_metadata(self.metadata, other.metadata)
        )


OPTIONAL_ARRAYS: Mapping[str, npt.NDArray[Any]] = {
    "box": np.full(4, np.nan, np.float32),
    "time": np.array(np.nan, np.float64),
    "hash": np.zeros(16, np.uint8),
}
"""Columns that a store may lack, with what stands where nothing is known."""


def unknown_array(name: str, n: int) -> npt.NDArray[Any]:
    """Return one of the `OPTIONAL_ARRAYS` for n rows of which nothing is known, in no memory."""
    one = OPTIONAL_ARRAYS[name]
    return np.broadcast_to(one, (n, *one.shape))


def is_known(column: npt.NDArray[Any]) -> bool:
    """Return whether one of the `OPTIONAL_ARRAYS` holds a value for any row."""
    if column.size == 0 or not column.strides[0]:
        return False
    return bool(column.any() if column.dtype == np.uint8 else (~np.isnan(column)).any())


@dataclass(frozen=True)
class TextFeatures:
    """Text features of the classes, under one set of prompts.

    Attributes
    ----------
    features
        float32 (n_classes, dim), one row for each class of the store, not normalised.
    names
        The class names that were put into the prompts.
    templates
        The prompts; empty where imported features do not say.
    logit_scale
        Factor that turns cosines into logits.
    tower
        Identity of the text tower, where the encoder's fingerprint does not cover it;
        "" where it does, and in stores from before it was kept.
    """

    features: npt.NDArray[np.float32]
    names: tuple[str, ...]
    templates: tuple[str, ...]
    logit_scale: float
    tower: str = ""

    @property
    def identity(self) -> tuple[tuple[str, ...], tuple[str, ...], str]:
        """Names, templates and tower: all that the features depend on."""
        return self.names, self.templates, self.tower


@dataclass(frozen=True)
class StoreHeader:
    """All of a store but its features and rows.

    Attributes
    ----------
    encoder
        The encoder's description with its `fingerprint`.
    source
        `root`: the absolute folder that paths start from, None for imported features;
        `layout`: one sentence on it; `boxes`: how boxes are cut, where rows are boxes.
    classes
        Names of the classes, in the order that labels count.
    skipped
        (path, reason) of every image that could not be read.
    text
        Text features by prompt set.
    history
        Edits of labels, splits and groups, and what was dropped; oldest first.
    dropped
        The rows that edits dropped, None for none.
    extraction
        What the run that encoded last did: `when`, how many it `encoded`, on which device, and
        the seconds of each stage; empty for imported features, and where the partial files of a
        broken run held all there was to encode.
    """

    encoder: Mapping[str, Any]
    source: Mapping[str, Any]
    classes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    text: Mapping[str, TextFeatures] = field(default_factory=dict)
    history: tuple[Edit, ...] = ()
    dropped: Dropped | None = None
    extraction: Mapping[str, Any] = field(default_factory=dict)


def box_cut_text(cut: Mapping[str, Any]) -> str:
    """Return in words how boxes are cut, from what a store's source says under `boxes`."""
    square = "" if cut.get("square") else "no-"
    return f"--margin {cut.get('margin')} --{square}square"


def encode_texts(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Return UTF-8 of one length, filled with zeros, as HDF5 keeps it.

    File names that are no valid Unicode survive the round trip.

    Raises
    ------
    InputError
        When a text holds half a character or ends in a zero, which no file name does.
    """
    try:
        raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    except UnicodeEncodeError as error:
        raise DataError(f"{error.object!r} is no text that UTF-8 can hold") from error
    if any(text.endswith(b"\0") for text in raw):
        raise DataError("a path, label or group ends in a zero byte")
    return np.array(raw, h5py.string_dtype("utf-8", max(map(len, raw), default=0) or 1))


def encode_attribute(text: str) -> np.bytes_:
    """Return an attribute's text in fixed length.

    HDF5 guards such text with checksums of its own. Text of any length would lie in a heap
    without, where a flipped byte can keep HDF5 searching for ever.
    """
    return np.bytes_(text.encode("utf-8", "surrogateescape"))


def decode_attribute(value: object) -> str:
    """Undo `encode_attribute`; text of any length, which h5py writes by itself, is read too."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def decode_texts(raw: npt.NDArray[Any]) -> list[str]:
    """Return the texts that `encode_texts` encoded."""
    return [text.decode("utf-8", "surrogateescape") for text in raw.tolist()]


def _add_metadata(file: h5py.File) -> None:
    """Go from schema 1 to 2, whose boxes, times, hashes and metadata are all optional."""


MIGRATIONS: dict[int, Callable[[h5py.File], None]] = {1: _add_metadata}
"""The step from each schema to the next, by the number of the older.

A step changes a copy in memory of everything but the features, which stay where they are
on disk. What was once released stays here, and `tests/cache/stores` holds a store of it.
"""


def _check_format(attributes: Mapping[str, Any], path: object) -> int:
    """Return the schema of a store; refuse what is none, and stores of a newer schema.

    Raises
    ------
    StoreFormatError
    """
    if decode_attribute(attributes.get("format")) != FORMAT:
        raise StoreFormatError(
            f"{str(path)!r} is HDF5 but no fishembed store: features from elsewhere come in with "
            "'fishembed import'"
        )
    schema = int(attributes.get("schema", 0))
    if schema > SCHEMA:
        raise StoreFormatError(
            f"{str(path)!r} has schema {schema}; this version reads up to {SCHEMA}: "
            "pip install -U fishembed"
        )
    return schema


def migrated(file: h5py.File, path: AnyPath) -> h5py.File:
    """Return a store's content, without its features, as this version lays it out.

    Returns
    -------
    h5py.File
        `file` itself, or a migrated copy in memory; the file on disk is never changed.
        The next `extract` that has something to write writes this version's schema.

    Raises
    ------
    StoreFormatError
        When it is no store, has a newer schema, or one that nothing leads on from.
    """
    schema = _check_format(dict(file.attrs), path)
    if schema == SCHEMA:
        return file
    copy = _without_features(file)
    for number in range(schema, SCHEMA):
        if number not in MIGRATIONS:
            raise StoreFormatError(f"{str(path)!r} has schema {number}, which was never released")
        MIGRATIONS[number](copy)
    return copy


def _without_features(file: h5py.File) -> h5py.File:
    copy = h5py.File(io.BytesIO(), "w")
    for name in file:
        if name != FEATURES:
            file.copy(name, copy)
    for name, value in file.attrs.items():
        copy.attrs[name] = value
    return copy
