"""Partial files: features of an unfinished extraction, safe on disk.

The partial files of a store at a URL lie on this machine, each with a copy beside the store, so
that another machine can continue from them. Object stores have no locks: one writer at a time is
only enforced among the processes of one machine. Of two machines that write the same store each
uploads it whole, and the later stays.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.files import atomic_file, real_path, remove_stale, sync_folder
from fishembed._base.paths import is_remote, to_path
from fishembed._base.remote_files import remote_errors, staging_path, upload
from fishembed.cache.hdf5_files import (
    atomic_hdf5,
    map_dataset,
    open_hdf5,
    store_write_errors,
)
from fishembed.cache.schema import (
    CHECKSUMS,
    decode_attribute,
    decode_texts,
    encode_attribute,
    encode_texts,
)
from fishembed.cache.validation import block_checksums, find_damage, read_checksums

if TYPE_CHECKING:
    from upath import UPath

_OPEN_AT_ONCE = 64
"""Files whose features stay mapped: a day's work has more than a process may open."""

_IDENTITY = "identity"

_NAME = re.compile(r"\d+(-\w+)?\.h5")
"""A partial file's name: a number, and optionally its writer."""


def open_partial_files(store: str | Path | UPath, identity: str, writer: str = "") -> PartialFiles:
    """Return the partial files of a store, wherever it lies; see `PartialFiles`."""
    place = to_path(store)
    if is_remote(place):
        return RemotePartialFiles(place, identity, writer)
    return PartialFiles(place, identity, writer)


class PartialFiles:
    """A folder of partial files beside a store, each with the features of some images.

    A file is written whole and moved in, so that it can be trusted after any interruption. Files
    of another encoder are never read.

    Parameters
    ----------
    store, identity
        The store that the features will be written to; the encoder's fingerprint, and which of its
        features are stored.
    writer
        Letters and digits, different for each process that writes at the same time; "" for the
        one that writes the store.
    """

    def __init__(self, store: str | Path, identity: str, writer: str = "") -> None:
        place = real_path(store)
        self.folder = place.with_name(f".{place.name}.parts")
        self._identity = identity
        self._ending = f"-{writer}.h5" if writer else ".h5"
        self._next = 0
        self._open = lru_cache(_OPEN_AT_ONCE)(self._map)

    def write(
        self, digests: Sequence[str], features: Mapping[str, npt.NDArray[np.float32]]
    ) -> Path:
        """Write one partial file: the digests of n images, float32 (n, …) by dataset of a store.

        `StoreWriteError` when the disk is full or the place not writable.
        """
        with store_write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
            taken = {path.name for path in self._files()}
        while (name := f"{self._next:08d}{self._ending}") in taken:
            self._next += 1
        with atomic_hdf5(self.folder / name) as file:
            file.attrs[_IDENTITY] = encode_attribute(self._identity)
            arrays = {"digest": encode_texts(digests), **features}
            for dataset, array in arrays.items():
                file.create_dataset(dataset, data=array)
                file.create_dataset(f"{CHECKSUMS}/{dataset}", data=block_checksums(array))
        self._next += 1
        return self.folder / name

    def read_all(self) -> Iterator[tuple[Path, list[str]]]:
        """Yield each undamaged file of this encoder with its digests, in the order of names.

        A damaged file is left out: its images are encoded again.
        """
        remove_stale(self.folder)
        for path in self._files():
            digests = self._read_digests(path)
            if digests is not None:
                yield path, digests

    def local_path(self, name: str) -> Path:
        """Return a file that another process has written, by its name."""
        return self.folder / name

    def features(self, path: Path, dataset: str) -> npt.NDArray[Any]:
        """Return float32 (n, …) of a file, as a memory map."""
        return self._open(path, dataset)

    def write_marker(self, name: str) -> None:
        """Write an empty file, by which other processes recognise that they share this folder."""
        with store_write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / name).touch()

    def has_marker(self, name: str) -> bool:
        """Return whether a marker that `write_marker` wrote is in this folder."""
        return (self.folder / name).exists()

    def remove(self) -> None:
        """Remove all files, once their features are in the store."""
        self._open.cache_clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(path for path in self.folder.iterdir() if _NAME.fullmatch(path.name))

    @staticmethod
    def _map(path: Path, dataset: str) -> npt.NDArray[Any]:
        with open_hdf5(path) as file:
            return map_dataset(file[dataset])

    def _read_digests(self, path: Path) -> list[str] | None:
        try:
            with open_hdf5(path) as file:
                if decode_attribute(file.attrs[_IDENTITY]) != self._identity:
                    return None
                for name, checksums in read_checksums(file).items():
                    if find_damage(name, map_dataset(file[name]), checksums):
                        return None
                return decode_texts(file["digest"][()])
        except (OSError, KeyError, ValueError, RuntimeError):
            return None


class RemotePartialFiles(PartialFiles):
    """Partial files of a store at a URL: on this machine, each with a copy beside the store."""

    def __init__(self, store: UPath, identity: str, writer: str = "") -> None:
        super().__init__(staging_path(store), identity, writer)
        self._only_uploads = bool(writer)
        self._remote = store.with_name(self.folder.name)

    def write(
        self, digests: Sequence[str], features: Mapping[str, npt.NDArray[np.float32]]
    ) -> Path:
        """Write one file and upload it; a named writer stores none on its machine."""
        path = super().write(digests, features)
        upload(path, self._remote / path.name)
        if self._only_uploads:
            path.unlink()
        return path

    def read_all(self) -> Iterator[tuple[Path, list[str]]]:
        """Copy what other machines have written, upload what is only here, and read all."""
        with remote_errors(self._remote):
            fs = self._remote.fs
            fs.invalidate_cache()  # others write here too
            found = fs.find(self._remote.path)
        names = {str(path).rstrip("/").rpartition("/")[2] for path in found}
        remote = set(filter(_NAME.fullmatch, names))
        local = {path.name for path in self._files()}
        for name in sorted(remote - local):
            self.local_path(name)
        for name in sorted(local - remote):
            upload(self.folder / name, self._remote / name)
        yield from super().read_all()

    def remove(self) -> None:
        """Remove all files, here and beside the store."""
        super().remove()
        with remote_errors(self._remote):
            if self._remote.exists():
                self._remote.fs.rm(self._remote.path, recursive=True)

    def local_path(self, name: str) -> Path:
        """Return a file by its name, copied to this machine where another has written it."""
        path = self.folder / name
        if not path.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(path) as temporary, remote_errors(self._remote):
                self._remote.fs.get_file((self._remote / name).path, str(temporary))
        return path

    def write_marker(self, name: str) -> None:
        """Write a marker beside the store; see `PartialFiles.write_marker`."""
        super().write_marker(name)
        upload(self.folder / name, self._remote / name)

    def has_marker(self, name: str) -> bool:
        """Return whether it is there: `memory://` is another place in every process."""
        with remote_errors(self._remote):
            return bool(self._remote.fs.exists((self._remote / name).path))
