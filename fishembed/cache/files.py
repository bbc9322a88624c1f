"""Files that appear whole or not at all, and blocks of them as memory maps."""

from __future__ import annotations

import mmap
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.errors import StoreError, StoreWriteError
from fishembed.remote import is_remote, uploaded

if TYPE_CHECKING:
    from fishembed.remote import Place

_LAYOUT: dict[str, Any] = {
    "libver": ("v110", "v110"),
    # Vectors start at a multiple of 64 bytes, so that a memory map of them is aligned.
    "alignment_threshold": 1024,
    "alignment_interval": 64,
}


def real_place(path: str | Path) -> Path:
    """Give where a file lies when its name is a link: all its names share one lock."""
    # os.path says no where pathlib raises: whoever writes is told why it cannot be done.
    return Path(os.path.realpath(path) if os.path.islink(path) else path)  # noqa: PTH114


@contextmanager
def moved_in(path: Path) -> Iterator[Path]:
    """Give a name beside `path` to write to; move it in when the block ends well.

    Raises
    ------
    StoreWriteError
        When it cannot be made safe on disk or moved; nothing is left behind, and what was
        there before is untouched.
    """
    place = real_place(path)
    beside = place.with_name(f".{place.name}.{os.getpid()}.tmp")
    try:
        yield beside
        with write_errors(path):
            _sync(beside)
            with suppress(FileNotFoundError):
                shutil.copymode(place, beside)
            os.replace(beside, place)  # noqa: PTH105 - the one call this rests on
            sync_folder(place.parent)
    finally:
        with suppress(OSError):
            beside.unlink()


@contextmanager
def whole_file(path: Place) -> Iterator[h5py.File]:
    """Write an HDF5 file that takes its place when it is complete and on disk.

    One that is to lie elsewhere is written on this machine and uploaded whole.

    Raises
    ------
    StoreWriteError
        When the disk is full or the place not writable; see `moved_in`.
    """
    if is_remote(path):
        with uploaded(path) as local, whole_file(local) as file:
            yield file
        return
    with moved_in(path) as beside:
        with write_errors(path):
            disk = _Disk(beside)
        with disk:
            try:
                with h5py.File(disk, "w", **_LAYOUT) as file:
                    yield file
            except Exception:
                if disk.failure is None:
                    raise
        if disk.failure is not None:
            with write_errors(path):
                raise disk.failure


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn what the operating system says into a `StoreWriteError` that names `path`."""
    try:
        yield
    except StoreError:
        raise
    except OSError as error:
        raise StoreWriteError(
            f"cannot write {str(path)!r} ({error.strerror or error}); what was there before is "
            "untouched"
        ) from error


def remove_orphans(folder: Path, name: str | None = None) -> None:
    """Remove what dead processes left while they wrote `name`, or anything in the folder.

    Only for the holder of the store's lock: what a living process writes looks the same.
    """
    orphan = re.compile(rf"\.{re.escape(name) if name else '.+'}\.\d+\.tmp", re.DOTALL)
    with suppress(OSError):
        for entry in list(folder.iterdir()):
            if orphan.fullmatch(entry.name):
                entry.unlink(missing_ok=True)


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, also where the disk has no locks or somebody holds HDF5's.

    Stores need no lock to be read: they are replaced, and never changed in place.
    """
    try:
        return h5py.File(path, "r")
    except OSError:
        return h5py.File(path, "r", locking=False)


def map_rows(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    """Give a dataset as a read-only memory map where it is contiguous, else read it.

    The map is of the file that is open, also when another was moved into its place.
    """
    offset = dataset.id.get_offset()
    if offset is None or not dataset.size:
        return np.asarray(dataset[()])
    # numpy.memmap would move the file position that HDF5 believes to own.
    mapped = mmap.mmap(dataset.file.id.get_vfd_handle(), 0, access=mmap.ACCESS_READ)
    return np.ndarray(dataset.shape, dataset.dtype, mapped, offset)


class _Disk:
    """A file for HDF5 that keeps its first failure to itself.

    HDF5 cannot close a file whose writes fail: handles leak, and some versions crash when
    the interpreter ends. So it is told that every write went well, and whoever closes the
    file asks for `failure`.

    Parameters
    ----------
    path
        Created, or emptied.
    """

    def __init__(self, path: Path) -> None:
        self._raw = path.open("w+b", buffering=0)
        self.failure: BaseException | None = None

    def __enter__(self) -> _Disk:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._raw.close()
        except OSError as error:  # some network disks only complain here
            self.failure = self.failure or error

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        return self._raw.seek(offset, whence)

    def tell(self) -> int:
        return self._raw.tell()

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size) or b""

    def readinto(self, buffer: memoryview) -> int:
        return self._raw.readinto(buffer) or 0

    def write(self, data: memoryview) -> int:
        if self.failure is None:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[self._raw.write(rest) :]
            except BaseException as error:  # Ctrl-C too: raised again when HDF5 is out of it
                self.failure = error
        return len(data)

    def truncate(self, size: int) -> int:
        if self.failure is None:
            try:
                self._raw.truncate(size)
            except BaseException as error:  # as above
                self.failure = error
        return size

    def flush(self) -> None:
        """Do nothing: nothing is buffered here."""


def sync_folder(path: Path) -> None:
    """Make a file's new name in a folder safe on disk, where the system can."""
    # Windows and some network disks cannot; the file is in its place by now, so go on.
    with suppress(OSError):
        _sync(path, os.O_RDONLY)


def _sync(path: Path, flags: int = os.O_RDWR) -> None:
    handle = os.open(path, flags)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
