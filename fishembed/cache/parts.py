"""Finished vectors of an extraction that has not ended, safe on disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.files import real_path, remove_stale_files, sync_folder
from fishembed.cache.checksums import block_checksums, find_damage, read_checksums
from fishembed.cache.hdf5_files import atomic_hdf5, map_dataset, open_hdf5, store_write_errors
from fishembed.cache.schema import (
    CHECKSUMS,
    decode_attribute,
    decode_texts,
    encode_attribute,
    encode_texts,
)

_OPEN_AT_ONCE = 64
"""Parts whose vectors stay mapped: a day's work has more parts than a process may open files."""

_IDENTITY = "identity"

PART = re.compile(r"\d+(-\w+)?\.h5")
"""What a part's file is called: a number, and perhaps who wrote it."""


class Parts:
    """A folder of parts beside a store, each with the vectors of some pictures.

    A part is written whole and moved in, so that what is there can be trusted after any
    kind of end. Parts of another encoder are never read.

    Parameters
    ----------
    store
        The store that the parts will be folded into.
    identity
        Of the vectors: the encoder's fingerprint, and which of its vectors are kept.
    writer
        Letters and digits that tell apart who writes at the same time; "" for who folds.
    """

    def __init__(self, store: str | Path, identity: str, writer: str = "") -> None:
        place = real_path(store)
        self.folder = place.with_name(f".{place.name}.parts")
        self._identity = identity
        self._ending = f"-{writer}.h5" if writer else ".h5"
        self._next = 0
        self._open = lru_cache(_OPEN_AT_ONCE)(self._map)

    def add(self, digests: Sequence[str], vectors: Mapping[str, npt.NDArray[np.float32]]) -> Path:
        """Write one part.

        Parameters
        ----------
        digests
            Of n pictures.
        vectors
            float32 (n, …) by the dataset's name in a store.

        Raises
        ------
        StoreWriteError
            When the disk is full or the place not writable.
        """
        with store_write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
            taken = {path.name for path in self._files()}
        while (name := f"{self._next:08d}{self._ending}") in taken:
            self._next += 1
        with atomic_hdf5(self.folder / name) as file:
            file.attrs[_IDENTITY] = encode_attribute(self._identity)
            arrays = {"digest": encode_texts(digests), **vectors}
            for dataset, array in arrays.items():
                file.create_dataset(dataset, data=array)
                file.create_dataset(f"{CHECKSUMS}/{dataset}", data=block_checksums(array))
        self._next += 1
        return self.folder / name

    def found(self) -> Iterator[tuple[Path, list[str]]]:
        """Yield each sound part of this encoder with its digests, in the order of their names.

        A part that is damaged is left out: its pictures are encoded again.
        """
        remove_stale_files(self.folder)
        for path in self._files():
            digests = self._read(path)
            if digests is not None:
                yield path, digests

    def fetch(self, name: str) -> Path:
        """Give a part that another process has written, by its name."""
        return self.folder / name

    def show(self, sign: str) -> None:
        """Leave a file of a name, so that others can tell whether they see this folder."""
        with store_write_errors(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / sign).touch()

    def sees(self, sign: str) -> bool:
        """Tell whether a file that `show` has left is here."""
        return (self.folder / sign).exists()

    def vectors(self, part: Path, name: str) -> npt.NDArray[Any]:
        """Give float32 (n, …) of a part, as a memory map."""
        return self._open(part, name)

    def discard(self) -> None:
        """Remove all parts, once they have been folded into the store."""
        self._open.cache_clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if PART.fullmatch(p.name))

    @staticmethod
    def _map(part: Path, name: str) -> npt.NDArray[Any]:
        with open_hdf5(part) as file:
            return map_dataset(file[name])

    def _read(self, path: Path) -> list[str] | None:
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
