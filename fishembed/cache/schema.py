"""The layout of a feature store on disk. The guide is cache/README.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from fishembed.cache.history import Dropped, Edit

from fishembed.errors import DimensionError, InputError, StoreFormatError

FORMAT = "fishembed"
SCHEMA = 1

INDEX_SUFFIX = ".json"
"""Of an index over several stores; see `fishembed.cache.partitioned`."""

FEATURES = "features"
IMAGE = "features/image"
TRUNK = "features/trunk"
VECTORS = (IMAGE, TRUNK)
TEXT = "text"
CHECKSUMS = "checksums"
ATTRIBUTES = "attributes"
CHECKED_ROWS = 64
"""Rows that share one checksum: fine enough to name what was damaged."""


@dataclass(frozen=True)
class Rows:
    """What is known of each picture; all columns have one length.

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
        The unit a row must not be separated from, or "".
    """

    path: Sequence[str]
    digest: Sequence[str]
    size: npt.NDArray[np.int64]
    mtime_ns: npt.NDArray[np.int64]
    label: npt.NDArray[np.int32]
    split: Sequence[str]
    group: Sequence[str]

    def __post_init__(self) -> None:
        lengths = {name: len(getattr(self, name)) for name in self.__dataclass_fields__}
        if len(set(lengths.values())) > 1:
            raise DimensionError(f"columns of unequal length: {lengths}")

    def __len__(self) -> int:
        return len(self.path)

    def take(self, rows: Sequence[int]) -> Rows:
        """Give some of the rows, in the order named."""
        columns: dict[str, Any] = {}
        for name in self.__dataclass_fields__:
            column = getattr(self, name)
            is_array = isinstance(column, np.ndarray)
            columns[name] = column[list(rows)] if is_array else [column[i] for i in rows]
        return Rows(**columns)


@dataclass(frozen=True)
class TextVectors:
    """The classes in words, under one set of prompts.

    Attributes
    ----------
    features
        float32 (n_classes, dim), one row for each class of the store, not normalised.
    names
        The class names that were put into the prompts.
    templates
        The prompts; empty where imported vectors do not say.
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
        """What the vectors follow from: names, templates and tower."""
        return self.names, self.templates, self.tower


@dataclass(frozen=True)
class StoreHead:
    """All of a store but its vectors and rows.

    Attributes
    ----------
    encoder
        The encoder's description with its `fingerprint`.
    source
        `root`: the absolute folder that paths start from, None for imported vectors;
        `layout`: one sentence on it.
    classes
        Names of the classes, in the order that labels count.
    skipped
        (path, reason) of every picture that could not be read.
    text
        Text vectors by prompt set.
    history
        Edits of labels, splits and groups, and what was dropped; oldest first.
    dropped
        The rows that edits dropped, None for none.
    extraction
        What the run that encoded last did: `when`, how many it `encoded`, on which device, and
        the seconds of each stage; empty for imported vectors, and where the parts of a broken
        run held all there was to encode.
    """

    encoder: Mapping[str, Any]
    source: Mapping[str, Any]
    classes: tuple[str, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    text: Mapping[str, TextVectors] = field(default_factory=dict)
    history: tuple[Edit, ...] = ()
    dropped: Dropped | None = None
    extraction: Mapping[str, Any] = field(default_factory=dict)


def check_format(attributes: Mapping[str, Any], path: object) -> int:
    """Give the schema of a store; refuse what is none, and stores of a newer schema.

    Raises
    ------
    StoreFormatError
    """
    if decode_attribute(attributes.get("format")) != FORMAT:
        raise StoreFormatError(
            f"{str(path)!r} is HDF5 but no fishembed store: vectors from elsewhere come in with "
            "'fishembed import'"
        )
    schema = int(attributes.get("schema", 0))
    if schema > SCHEMA:
        raise StoreFormatError(
            f"{str(path)!r} has schema {schema}; this version reads up to {SCHEMA}: "
            "pip install -U fishembed"
        )
    return schema


def encode_texts(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Give UTF-8 of one length, filled with zeros, as HDF5 keeps it.

    File names that are no valid Unicode survive the round trip.

    Raises
    ------
    InputError
        When a text holds half a character or ends in a zero, which no file name does.
    """
    try:
        raw = [text.encode("utf-8", "surrogateescape") for text in texts]
    except UnicodeEncodeError as error:
        raise InputError(f"{error.object!r} is no text that UTF-8 can hold") from error
    if any(text.endswith(b"\0") for text in raw):
        raise InputError("a path, label or group ends in a zero byte")
    return np.array(raw, h5py.string_dtype("utf-8", max(map(len, raw), default=0) or 1))


def encode_attribute(text: str) -> np.bytes_:
    """Give an attribute's text in fixed length.

    HDF5 guards such text with checksums of its own. Text of any length would lie in a heap
    without, where a flipped byte can keep HDF5 searching for ever.
    """
    return np.bytes_(text.encode("utf-8", "surrogateescape"))


def decode_attribute(value: object) -> str:
    """Undo `encode_attribute`; text of any length, which h5py writes by itself, is read too."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else str(value)


def decode_texts(raw: npt.NDArray[Any]) -> list[str]:
    """Undo `encode_texts`."""
    return [text.decode("utf-8", "surrogateescape") for text in raw.tolist()]
