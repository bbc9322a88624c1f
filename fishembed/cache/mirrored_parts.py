"""Parts of a store at a URL, so that another machine can go on from them.

Object stores have no locks: one writer at a time is only enforced among the processes of one
machine. Of two machines that write the same store each uploads it whole, and the later stays.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.files import atomic_file
from fishembed._base.paths import is_remote, to_path
from fishembed._base.remote_files import remote_errors, staging_path, upload
from fishembed.cache.parts import PART, Parts

if TYPE_CHECKING:
    from upath import UPath


def parts_of(store: str | Path | UPath, identity: str, writer: str = "") -> Parts:
    """Give the parts of a store, wherever it lies; see `Parts`."""
    place = to_path(store)
    if is_remote(place):
        return MirroredParts(place, identity, writer)
    return Parts(place, identity, writer)


class MirroredParts(Parts):
    """Parts of a store elsewhere: on this machine, each with a copy beside the store.

    Parameters
    ----------
    store
        The store that the parts will be folded into.
    identity, writer
        See `Parts`.
    """

    def __init__(self, store: UPath, identity: str, writer: str = "") -> None:
        super().__init__(staging_path(store), identity, writer)
        self._is_writer = bool(writer)
        self._there = store.with_name(self.folder.name)

    def add(self, digests: Sequence[str], vectors: Mapping[str, npt.NDArray[np.float32]]) -> Path:
        """Write one part, here and there; see `Parts.add`. A writer keeps none here."""
        part = super().add(digests, vectors)
        upload(part, self._there / part.name)
        if self._is_writer:
            part.unlink()
        return part

    def found(self) -> Iterator[tuple[Path, list[str]]]:
        """Fetch what another machine has written, bring what is only here, and go on."""
        with remote_errors(self._there):
            there = {name for name in map(_name, self._listed()) if PART.fullmatch(name)}
        here = {path.name for path in self._files()}
        for name in sorted(there - here):
            self.fetch(name)
        for name in sorted(here - there):
            upload(self.folder / name, self._there / name)
        yield from super().found()

    def discard(self) -> None:
        """Remove all parts, here and there."""
        super().discard()
        with remote_errors(self._there):
            if self._there.exists():
                self._there.fs.rm(self._there.path, recursive=True)

    def _listed(self) -> list[str]:
        fs = self._there.fs
        fs.invalidate_cache()  # others write here too
        return [str(path) for path in fs.find(self._there.path)]

    def fetch(self, name: str) -> Path:
        """Bring a part here that was written on another machine; see `Parts.fetch`."""
        part = self.folder / name
        if not part.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            with atomic_file(part) as temporary, remote_errors(self._there):
                self._there.fs.get_file((self._there / name).path, str(temporary))
        return part

    def show(self, sign: str) -> None:
        """Leave a file of a name beside the store; see `Parts.show`."""
        super().show(sign)
        upload(self.folder / sign, self._there / sign)

    def sees(self, sign: str) -> bool:
        """Tell whether that file is there: `memory://` is another place in every process."""
        with remote_errors(self._there):
            return bool(self._there.fs.exists((self._there / sign).path))


def _name(path: str) -> str:
    return path.rstrip("/").rpartition("/")[2]
