"""Where the features of each image are: in the store before, or in a partial file."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed.cache import HASH, PartialFiles, open_partial_files, unknown_array
from fishembed.errors import InputError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles
from fishembed.extraction.partial_file_writer import Batches, FeatureArrays, PartialFileWriter
from fishembed.extraction.previous_store import PreviousStore

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

PART_SECONDS = 5.0
"""The most work that a killed extraction loses."""

_PART_BYTES = 32 << 20
"""Features that wait in memory to be written, at the most."""

NOT_FINITE = "the encoder gave features that are not finite"

_ROWS = 1 << 40
"""Rows that a dataset may have: a place is source × _ROWS + row, one number for each image."""


def partial_files_opener(
    place: AnyPath, loader: EncoderLoader, *, trunk: bool
) -> Callable[..., PartialFiles]:
    """Return what opens the partial files of a store, also in a worker of another folder."""
    absolute = place.absolute() if isinstance(place, Path) else place
    identity = loader.spec.fingerprint + ("+trunk" if trunk else "")
    return partial(open_partial_files, absolute, identity)


class KnownFeatures:
    """Features by digest: those there are, and those that are being made.

    Parameters
    ----------
    partial_files
        Where new features become safe; those that are there already are taken over.
    """

    def __init__(self, partial_files: PartialFiles) -> None:
        self._files = partial_files
        self._sources: list[Callable[[str], npt.NDArray[Any]]] = []
        self._places: dict[str, int] = {}
        self._fresh: Batches = []
        self._fresh_bytes = 0
        self._fresh_digests: set[str] = set()
        self._first_new = 0
        self._saved = time.monotonic()
        self._writer = PartialFileWriter(partial_files)
        self.failed: dict[str, str] = {}
        self.n_encoded = 0
        for file, digests in partial_files.read_all():
            self._add_file(file, digests)
        self._first_new = len(self._sources) * _ROWS

    def __contains__(self, digest: object) -> bool:
        return digest in self._places or digest in self._fresh_digests or digest in self.failed

    def __iter__(self) -> Iterator[str]:
        yield from {*self._places, *self._fresh_digests, *self.failed}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def was_encoded(self, digest: str) -> bool:
        """Return whether this run has encoded an image."""
        place = self._places.get(digest)
        return digest in self._fresh_digests if place is None else place >= self._first_new

    def add_store(self, previous: PreviousStore, *, trunk: bool) -> None:
        """Add the features of the store before, where it has all that are wanted.

        Raises
        ------
        InputError
            When it has dropped images, whose features can be had from nowhere else.
        """
        store = previous.store
        if store is not None and (store.has_trunk or not trunk):
            self._add_source(previous.by_digest, previous.features)
            self._add_source(previous.dropped_by_digest, previous.dropped_features)
            self._first_new = len(self._sources) * _ROWS
        elif store is not None and previous.dropped is not None:
            raise InputError(
                f"{str(store.path)!r} has dropped images, whose trunk features are not made: take "
                "that back with 'fishembed fix --undo', or give another --store"
            )

    def add_encoded(self, files: EncodedFiles) -> None:
        """Add what an engine has encoded; every few seconds what is new becomes safe on disk."""
        self.failed.update(files.failed)
        if files.partial_file:
            self.n_encoded += len(files.encoded)
            self._add_file(self._files.local_path(files.partial_file), files.encoded)
        elif files.features is not None:
            finite, features, lost = only_finite(files.encoded, files.features)
            self.failed.update(dict.fromkeys(lost, NOT_FINITE))
            self.n_encoded += len(finite)
            self._fresh.append((finite, features))
            self._fresh_bytes += sum(array.nbytes for array in features.values())
            self._fresh_digests.update(finite)
            waited = time.monotonic() - self._saved
            if waited > PART_SECONDS or self._fresh_bytes > _PART_BYTES:
                self._write()

    def save(self) -> None:
        """Write what is new to a partial file, and wait until all of it is on disk.

        Raises
        ------
        StoreWriteError
            When the disk is full or the place not writable, now or in the background.
        """
        self._write()
        self._add_written(self._writer.wait())

    @property
    def write_seconds(self) -> float:
        """Seconds that were spent on writing partial files."""
        return self._writer.seconds

    def gather(self, name: str, digests: Sequence[str]) -> npt.NDArray[np.float32]:
        """Return float32 (len(digests), …) of a dataset, for images that are saved."""
        places = np.fromiter((self._places[one] for one in digests), np.int64, len(digests))
        sources, rows = places // _ROWS, places % _ROWS
        found = [(sources == one, self._sources[one](name)) for one in np.unique(sources)]
        out = np.empty((len(digests), found[0][1].shape[1]), np.float32)
        for mine, array in found:
            out[mine] = array[rows[mine]]
        return out

    def hashes(self, digests: Sequence[str]) -> npt.NDArray[np.uint8]:
        """Return the perceptual hashes of images that are saved; zeros where not known."""
        places = np.fromiter((self._places[one] for one in digests), np.int64, len(digests))
        sources, rows = places // _ROWS, places % _ROWS
        out = np.zeros((len(digests), unknown_array(HASH, 1).shape[1]), np.uint8)
        for one in np.unique(sources):
            with suppress(KeyError):  # a partial file of before there were hashes
                out[sources == one] = self._sources[one](HASH)[rows[sources == one]]
        return out

    def discard_partial_files(self) -> None:
        """Remove all partial files, once their features are in the store."""
        self._files.remove()

    def _write(self) -> None:
        """Hand what is new to the thread that writes."""
        fresh, self._fresh, self._fresh_bytes = self._fresh, [], 0
        self._saved = time.monotonic()
        self._add_written(self._writer.add(fresh))

    def _add_written(self, written: list[tuple[Path, list[str]]]) -> None:
        for file, digests in written:
            self._add_file(file, digests)
            self._fresh_digests.difference_update(digests)

    def _add_file(self, file: Path, digests: Sequence[str]) -> None:
        rows = {digest: row for row, digest in enumerate(digests)}
        self._add_source(rows, partial(self._files.features, file))

    def _add_source(
        self, rows: Mapping[str, int], features: Callable[[str], npt.NDArray[Any]]
    ) -> None:
        """Add rows by digest of an array, which `features` returns by the dataset's name."""
        first = len(self._sources) * _ROWS
        self._sources.append(features)
        for digest, row in rows.items():
            self._places.setdefault(digest, first + row)


def only_finite(
    digests: Sequence[str], features: FeatureArrays
) -> tuple[list[str], FeatureArrays, set[str]]:
    """Return the images whose features are all finite, and the digests of the others."""
    finite = np.all([np.isfinite(array).all(axis=1) for array in features.values()], axis=0)
    if finite.all():
        return list(digests), features, set()
    good = [digest for digest, fine in zip(digests, finite, strict=True) if fine]
    usable = {name: array[finite] for name, array in features.items()}
    return good, usable, set(digests) - set(good)
