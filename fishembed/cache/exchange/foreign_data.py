"""Refuse HDF5 files that have HDF5 read other files, or memory that the file does not fill."""

from __future__ import annotations

from typing import Any

import h5py

_LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}
_DENSEST = 1100
"""Bytes that one byte of a file may become: deflate reaches 1,032."""

_SMALL = 1 << 26


class ForeignDataError(OSError):
    """An HDF5 file that reaches beyond itself."""


def refuse_foreign_data(file: h5py.File) -> None:
    """Look at every name in a file, and read no data; no store has what is refused.

    Raises
    ------
    ForeignDataError
        For links to other files and soft links, data sets that are kept in other files (external
        storage, virtual data sets), and those that claim far more bytes than the file has.
    """
    seen: set[Any] = set()
    pending = [(file.id, "")]
    while pending:
        group, above = pending.pop()
        for raw in group:
            name = above + raw.decode("utf-8", "replace")
            kind = group.links.get_info(raw).type
            if kind != h5py.h5l.TYPE_HARD:
                what = _LINKS.get(kind, "a link of an unknown kind")
                raise ForeignDataError(f"{name!r} is {what}, which no store has")
            item = h5py.h5o.open(group, raw)
            mark = h5py.h5o.get_info(item).addr
            if mark in seen:
                continue
            seen.add(mark)
            if isinstance(item, h5py.h5g.GroupID):
                pending.append((item, f"{name}/"))
            elif isinstance(item, h5py.h5d.DatasetID):
                _refuse_dataset(item, name)


def _refuse_dataset(item: h5py.h5d.DatasetID, name: str) -> None:
    made = item.get_create_plist()
    if made.get_external_count():
        raise ForeignDataError(f"{name!r} has its data in another file, which no store has")
    if made.get_layout() == h5py.h5d.VIRTUAL:
        raise ForeignDataError(f"{name!r} is put together of other data sets, which no store has")
    claimed = item.get_space().get_simple_extent_npoints() * item.get_type().get_size()
    if claimed > _SMALL + _DENSEST * item.get_storage_size():
        raise ForeignDataError(
            f"{name!r} claims {claimed:,} bytes, of which the file has {item.get_storage_size():,}"
        )
