"""Finished vectors of an extraction that has not ended, safe on disk."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt

from fishembed.cache.checksums import block_checksums, damaged_blocks
from fishembed.cache.files import map_rows, whole_file
from fishembed.cache.schema import CHECKSUMS, HEX64, IMAGE
from fishembed.errors import StoreWriteError


class Parts:
    """A folder of parts beside a store, each with the vectors of some pictures.

    A part is written whole and moved in, so that what is there can be trusted after any
    kind of end. Parts of another encoder are never read.

    Parameters
    ----------
    store
        The store that the parts will be folded into.
    encoder_fingerprint
        Identity of the vectors.
    """

    def __init__(self, store: str | Path, encoder_fingerprint: str) -> None:
        store = Path(store)
        self.folder = store.with_name(f".{store.name}.parts")
        self._fingerprint = encoder_fingerprint
        self._next = 0

    def add(self, digests: Sequence[str], vectors: npt.NDArray[np.float32]) -> None:
        """Write one part: the digests of n pictures and float32 (n, dim).

        Raises
        ------
        StoreWriteError
            When the disk is full or the place not writable.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StoreWriteError(f"cannot make {str(self.folder)!r}: {error.strerror}") from error
        taken = {path.name for path in self._files()}
        while (name := f"{self._next:08d}.h5") in taken:
            self._next += 1
        with whole_file(self.folder / name) as file:
            file.attrs["encoder_fingerprint"] = self._fingerprint
            file.create_dataset("digest", data=np.array(list(digests), HEX64))
            file.create_dataset(IMAGE, data=np.ascontiguousarray(vectors, np.float32))
            file.create_dataset(f"{CHECKSUMS}/image", data=block_checksums(vectors))

    def read(self) -> list[tuple[list[str], npt.NDArray[Any]]]:
        """Give (digests, vectors) of every sound part of this encoder, oldest first.

        A part that is damaged is left out: its pictures are encoded again.
        """
        found = (self._read_part(path) for path in self._files())
        return [part for part in found if part is not None]

    def discard(self) -> None:
        """Remove all parts, once they have been folded into the store."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _files(self) -> list[Path]:
        if not self.folder.is_dir():
            return []
        return sorted(p for p in self.folder.iterdir() if re.fullmatch(r"\d+\.h5", p.name))

    def _read_part(self, path: Path) -> tuple[list[str], npt.NDArray[Any]] | None:
        try:
            with h5py.File(path, "r", locking=False) as file:
                if file.attrs["encoder_fingerprint"] != self._fingerprint:
                    return None
                digests = [digest.decode("ascii") for digest in file["digest"][()]]
                vectors = map_rows(file, IMAGE)
                if damaged_blocks(vectors, file[f"{CHECKSUMS}/image"][()]):
                    return None
                return digests, vectors
        except (OSError, KeyError, ValueError, RuntimeError):
            return None
