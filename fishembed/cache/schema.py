"""The layout of a feature store on disk, and how older layouts become it.

The guide is cache/README.md.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.edit_history import Dropped, Edit
from fishembed.errors import DataError, StoreFormatError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

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
"""Rows that share one checksum: few enough to locate a damage."""


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
        The prompts; empty where imported features do not name them.
    logit_scale
        Factor that turns cosines into logits.
    tower
        Identity of the text tower, where the encoder's fingerprint does not cover it;
        "" where it does, and in stores from before it was stored.
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


EncodeNames = Callable[
    [TextFeatures, Sequence[str]], "tuple[Sequence[str], npt.NDArray[Any]] | None"
]
"""Returns the names of classes as in the prompts of a set, and their text features (n, dim)."""


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

    def with_classes(self, classes: Sequence[str], encode_names: EncodeNames | None) -> StoreHeader:
        """Return the header for other classes; text features go along.

        A class whose text feature is not known has zeros there and the name "", so that the next
        `extract` encodes the names again.
        """
        if list(self.classes) == list(classes):
            return self
        new = [name for name in classes if name not in self.classes]
        number = {name: i for i, name in enumerate([*self.classes, *new])}
        order = [number[name] for name in classes]
        text = {}
        for key, before in self.text.items():
            found = encode_names(before, new) if encode_names is not None and new else None
            names, rows = found or ([""] * len(new), np.zeros((len(new), before.features.shape[1])))
            spoken = [*before.names, *names]
            features = np.concatenate([before.features, rows]).astype(np.float32)[order]
            text[key] = replace(before, features=features, names=tuple(spoken[i] for i in order))
        return replace(self, classes=tuple(classes), text=text)


def box_cut_text(cut: Mapping[str, Any]) -> str:
    """Return a sentence on how boxes are cut, from `boxes` in a store's source."""
    square = "" if cut.get("square") else "no-"
    return f"--margin {cut.get('margin')} --{square}square"


def encode_texts(texts: Sequence[str]) -> npt.NDArray[np.bytes_]:
    """Return UTF-8 of one length, filled with zeros, as HDF5 stores it.

    File names that are no valid Unicode survive the round trip. `DataError` when a text holds half
    a character or ends in a zero, which no file name does.
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
    without, where a flipped byte can make HDF5 search for ever.
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
    """Return the schema of a store; refuse other files, and stores of a newer schema."""
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

    That is `file` itself, or a migrated copy in memory; the file on disk is never changed. The next
    `extract` that has something to write writes this version's schema. `StoreFormatError` when it
    is no store, has a newer schema, or one that nothing leads on from.
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
