"""HDF5 files that appear whole or not at all, and blocks of them as memory maps."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.errors import StoreWriteError


@contextmanager
def whole_file(path: Path) -> Iterator[h5py.File]:
    """Write an HDF5 file beside its place and move it in when it is complete and on disk.

    Raises
    ------
    StoreWriteError
        When the disk is full or the place not writable; nothing is left behind, and what
        was there before is untouched.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with h5py.File(beside, "w", libver=("v110", "v110"), locking=False) as file:
            yield file
        _sync(beside)
        os.replace(beside, path)  # noqa: PTH105 - the one call this rests on
        _sync(path.parent)
    except (OSError, RuntimeError) as error:
        raise StoreWriteError(
            f"cannot write {str(path)!r} ({_reason(error)}); what was there before is untouched"
        ) from error
    finally:
        with suppress(OSError):
            beside.unlink()


def map_rows(file: h5py.File, name: str) -> npt.NDArray[Any]:
    """Give a dataset as a read-only memory map where it is contiguous, else read it.

    The map is of the file that `file` has open, also when another was moved into its place.
    """
    dataset = file[name]
    offset = dataset.id.get_offset()
    if offset is None or not dataset.size:
        return np.asarray(dataset[()])
    path = Path(file.filename)
    mapped = np.memmap(path, dataset.dtype, "r", offset, dataset.shape)
    opened = os.fstat(file.id.get_vfd_handle())
    now = path.stat()
    if (opened.st_ino, opened.st_dev) != (now.st_ino, now.st_dev):
        return np.asarray(dataset[()])
    return mapped


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _reason(error: BaseException) -> str:
    number = getattr(error, "errno", None)
    return os.strerror(number) if number else " ".join(str(error).split())[:200]
