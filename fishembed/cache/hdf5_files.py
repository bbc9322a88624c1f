"""HDF5 files that appear whole or not at all, and their datasets as memory maps."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed._base.files import check_replaceable, move_into_place, real_path, temporary_file
from fishembed._base.paths import is_remote
from fishembed._base.remote_files import ANYTHING, remote_errors, uploaded_file
from fishembed.errors import FishembedError, StoreFormatError, StoreLockedError, StoreWriteError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


_LAYOUT: dict[str, Any] = {
    "libver": ("v110", "v110"),
    # Features start at a multiple of 64 bytes, so that a memory map of them is aligned.
    "alignment_threshold": 1024,
    "alignment_interval": 64,
}

_FIRST_BYTES = 64
_OPEN_FOR_WRITE = "already open for write"
"""HDF5's message on a file whose writer has not closed it."""


@contextmanager
def atomic_hdf5(path: AnyPath, *, replaces: str = ANYTHING) -> Iterator[h5py.File]:
    """Write an HDF5 file and move it to its place when it is complete and on disk.

    A remote one is written on this machine and uploaded whole, provided that the state there is
    what it `replaces`; see `fishembed._base.remote_files.upload`. `StoreWriteError` when the
    disk is full or the place not writable; what was there is untouched.
    """
    if is_remote(path):
        with uploaded_file(path, replaces=replaces) as temporary, _written(temporary, path) as file:
            yield file
        return
    with ExitStack() as stack:
        with store_write_errors(path):
            place = real_path(path)
            check_replaceable(place)
            temporary = stack.enter_context(temporary_file(place))
        with _written(temporary, path) as file:
            yield file
        with store_write_errors(path):
            move_into_place(temporary, place)


@contextmanager
def _written(temporary: Path, path: AnyPath) -> Iterator[h5py.File]:
    """Write an HDF5 file at a temporary path; `path` is its name in errors."""
    with store_write_errors(path):
        quiet = _QuietFile(temporary)
    with quiet:
        try:
            with h5py.File(quiet, "w", **_LAYOUT) as file:
                yield file
        except Exception:
            if quiet.error is None:
                raise
    with store_write_errors(path):
        if quiet.error is not None:
            raise quiet.error


@contextmanager
def store_write_errors(path: AnyPath) -> Iterator[None]:
    """Turn errors of the operating system into a `StoreWriteError` that names `path`."""
    try:
        yield
    except FishembedError:
        raise
    except OSError as error:
        raise StoreWriteError(
            f"cannot write {str(path)!r} ({error.strerror or error}); what was there before is "
            "untouched"
        ) from error


def first_bytes(path: AnyPath) -> bytes:
    """Return the first 64 bytes of a local or remote file; a pipe is refused, not waited for."""
    if not is_remote(path) and path.exists() and not path.is_file() and not path.is_dir():
        raise StoreFormatError(f"{str(path)!r} is no file but a pipe or a device")
    with remote_errors(path), path.open("rb") as file:
        return bytes(file.read(_FIRST_BYTES))


def open_hdf5(path: Path) -> h5py.File:
    """Open a file for reading, also where the disk has no locks or another process holds HDF5's.

    Stores need no lock to be read: they are replaced, and never changed in place. `OSError` when it
    is no HDF5, or has HDF5 read other files; `StoreLockedError` when another program has it open to
    write, or died while it had.
    """
    try:
        file = h5py.File(path, "r")
    except OSError:
        try:
            file = h5py.File(path, "r", locking=False)
        except OSError as error:
            if _OPEN_FOR_WRITE not in str(error):
                raise
            raise StoreLockedError(
                f"{str(path)!r} is open in another program: close it there. If none has it open, "
                f"one ended without closing it, and 'h5clear -s {path}' takes the mark off"
            ) from error
    try:
        _refuse_foreign_data(file)
    except OSError:
        file.close()
        raise
    except Exception as error:  # HDF5 raises anything on a damaged file
        file.close()
        raise OSError(f"its names cannot be read: {error}") from error
    return file


def map_dataset(dataset: h5py.Dataset) -> npt.NDArray[Any]:
    """Return a dataset as a read-only memory map where it is contiguous, else read it.

    The map is of the file that is open, also when another was moved into its place.
    """
    offset = dataset.id.get_offset()
    if offset is None or not dataset.size:
        return np.asarray(dataset[()])
    # numpy.memmap would move the file position that HDF5 believes to own.
    mapped = mmap.mmap(dataset.file.id.get_vfd_handle(), 0, access=mmap.ACCESS_READ)
    return np.ndarray(dataset.shape, dataset.dtype, mapped, offset)


class _QuietFile:
    """A file for HDF5, created or emptied, that stores its first error instead of raising it.

    HDF5 cannot close a file whose writes fail: handles leak, and some versions crash when
    the interpreter ends. So every write seems to succeed, and the caller checks `error` after
    closing.
    """

    def __init__(self, path: Path) -> None:
        self._raw = path.open("w+b", buffering=0)
        self.seek, self.tell = self._raw.seek, self._raw.tell
        self.error: BaseException | None = None

    def __enter__(self) -> _QuietFile:  # noqa: PYI034 - Self needs Python 3.11
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self._raw.close()
        except OSError as error:  # some network disks raise only here
            self.error = self.error or error

    def read(self, size: int = -1) -> bytes:
        return self._raw.read(size) or b""

    def readinto(self, buffer: memoryview) -> int:
        return self._raw.readinto(buffer) or 0

    def write(self, data: memoryview) -> int:
        if self.error is None:
            try:
                rest = memoryview(data)
                while rest:
                    rest = rest[self._raw.write(rest) :]
            except BaseException as error:  # Ctrl-C too: raised again when HDF5 has returned
                self.error = error
        return len(data)

    def truncate(self, size: int) -> int:
        if self.error is None:
            try:
                self._raw.truncate(size)
            except BaseException as error:  # as above
                self.error = error
        return size

    def flush(self) -> None:
        """Do nothing: nothing is buffered here."""


_LINKS = {h5py.h5l.TYPE_SOFT: "a soft link", h5py.h5l.TYPE_EXTERNAL: "a link to another file"}
_DENSEST = 1100
"""Bytes that one byte of a file may become: deflate reaches 1,032."""

_SMALL = 1 << 26


class ForeignDataError(OSError):
    """An HDF5 file that refers to other files or claims more data than it has."""


def _refuse_foreign_data(file: h5py.File) -> None:
    """Raise a `ForeignDataError` for what no store has; check every name and read no data.

    These are soft links and links to other files, data sets that lie in other files (external
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
            member = h5py.h5o.open(group, raw)
            mark = h5py.h5o.get_info(member).addr
            if mark in seen:
                continue
            seen.add(mark)
            if isinstance(member, h5py.h5g.GroupID):
                pending.append((member, f"{name}/"))
            elif isinstance(member, h5py.h5d.DatasetID):
                _refuse_dataset(member, name)


def _refuse_dataset(dataset: h5py.h5d.DatasetID, name: str) -> None:
    made = dataset.get_create_plist()
    if made.get_external_count():
        raise ForeignDataError(f"{name!r} has its data in another file, which no store has")
    if made.get_layout() == h5py.h5d.VIRTUAL:
        raise ForeignDataError(f"{name!r} is put together of other data sets, which no store has")
    claimed = dataset.get_space().get_simple_extent_npoints() * dataset.get_type().get_size()
    stored = dataset.get_storage_size()
    if claimed > _SMALL + _DENSEST * stored:
        raise ForeignDataError(
            f"{name!r} claims {claimed:,} bytes, of which the file has {stored:,}"
        )
