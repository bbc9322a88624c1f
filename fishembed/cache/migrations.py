"""Stores of an older schema, brought to this one step by step."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import TYPE_CHECKING

import h5py

from fishembed.cache.schema import FEATURES, SCHEMA, check_format
from fishembed.errors import StoreFormatError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

MIGRATIONS: dict[int, Callable[[h5py.File], None]] = {}
"""The step from each schema to the next, by the number it starts from.

A step changes a copy in memory of everything but the vectors, which stay where they are
on disk. What was once released stays here, and `tests/cache/stores` holds a store of it.
"""


def at_this_schema(file: h5py.File, path: AnyPath) -> h5py.File:
    """Give a store's content, without its vectors, as this version lays it out.

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
    schema = check_format(dict(file.attrs), path)
    if schema == SCHEMA:
        return file
    copy = _without_vectors(file)
    for number in range(schema, SCHEMA):
        if number not in MIGRATIONS:
            raise StoreFormatError(f"{str(path)!r} has schema {number}, which was never released")
        MIGRATIONS[number](copy)
    return copy


def _without_vectors(file: h5py.File) -> h5py.File:
    copy = h5py.File(io.BytesIO(), "w")
    for name in file:
        if name != FEATURES:
            file.copy(name, copy)
    for name, value in file.attrs.items():
        copy.attrs[name] = value
    return copy
