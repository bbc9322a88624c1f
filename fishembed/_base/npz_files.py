"""Checks of .npz archives, made before any of their arrays is read."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import numpy as np

from fishembed._base.bounded_reading import open_file

_SMALL = 1 << 26
_MOST_ARRAYS = 10_000


def check_npz(path: Path, densest: int = 100) -> None:
    """Refuse an archive whose arrays claim more than its bytes can hold.

    Parameters
    ----------
    path
        The archive.
    densest
        Bytes that one byte of the file may become, beyond 64 MiB. Features hardly compress;
        zeros do a thousandfold.

    Raises
    ------
    ValueError
        When an array's shape is not that of its data, or it would be much larger than the file.
    OSError, zipfile.BadZipFile
        When it cannot be read, or is no archive.

    Examples
    --------
    >>> np.savez("a.npz", X=np.eye(3))
    >>> check_npz(Path("a.npz"))
    """
    with open_file(path) as file, zipfile.ZipFile(file) as archive:
        size = os.fstat(file.fileno()).st_size
        members = archive.infolist()
        if len(members) > _MOST_ARRAYS:
            raise ValueError(f"{len(members):,} arrays")
        claimed = sum(member.file_size for member in members)
        if claimed > _SMALL + densest * size:
            raise ValueError(f"{size:,} bytes claim to be {claimed:,}")
        for member in members:
            if member.filename.endswith(".npy"):
                _check_shape(archive, member)


def _check_shape(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
    """Compare the shape that an array's header has with the bytes behind it."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        reader = getattr(np.lib.format, f"read_array_header_{version[0]}_0", None)
        if reader is None:  # 3.0 differs from 2.0 in the coding of names alone
            reader = np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(file)
        header = file.tell()
    if dtype.hasobject:
        raise ValueError(f"{member.filename!r} holds Python objects")
    count = 1
    for length in shape:
        count *= int(length)
    if count * dtype.itemsize != member.file_size - header:
        raise ValueError(
            f"{member.filename!r} claims {count * dtype.itemsize:,} bytes and has "
            f"{member.file_size - header:,}"
        )
