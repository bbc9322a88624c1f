"""Features by digest, in the previous store, in partial files, or waiting to be written."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed.cache import (
    HASH,
    IMAGE,
    TRUNK,
    ComputedRows,
    PartialFiles,
    open_partial_files,
    unknown_array,
)
from fishembed.errors import InputError
from fishembed.extraction.encoder_loader import EncoderLoader
from fishembed.extraction.engine import EncodedFiles, FeatureArrays, joined
from fishembed.extraction.previous_store import PreviousStore

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

PART_SECONDS = 5.0
"""The most work that a killed extraction loses."""

_PART_BYTES = 32 << 20
"""Size of the features that wait in memory to be written, at most."""

_PARTS_WAITING = 2
"""Partial files that wait for the writing thread, at most."""

NOT_FINITE = "the encoder gave features that are not finite"

_ROWS = 1 << 40
"""Most rows of a source; an image's place is source × _ROWS + row, one number."""

Batches = list[tuple[list[str], FeatureArrays]]
"""Digests and features of finished batches."""


class KnownFeatures:
    """Known features by digest, and those being computed.

    Features of the previous store are reused where it has all that are wanted, and those of
    partial files that an interrupted extraction left.

    Parameters
    ----------
    place
        Path of the store; new features are written to partial files beside it.
    encoder
        Encoder of the features.
    previous
        The previous store.
    trunk
        Whether to store the features before the projection too; a store that has them retains
        them.

    Attributes
    ----------
    trunk
        Features before the projection that the store shall have, see `EncoderLoader.trunk_name`.
    own_trunk
        Whether these differ from the image features.
    open_partial_files
        Opens the partial files, also in a worker with another working folder.
    failed
        Reasons why images could not be encoded, by digest.
    n_encoded
        Number of images that were encoded.

    Raises
    ------
    InputError
        When the store has dropped images, whose trunk features cannot be computed.
    """

    def __init__(
        self, place: AnyPath, encoder: EncoderLoader, previous: PreviousStore, *, trunk: bool
    ) -> None:
        self._encoder = encoder
        self.trunk = encoder.trunk_name(wanted=trunk)
        self.own_trunk = self.trunk == "trunk"
        absolute = place.absolute() if isinstance(place, Path) else place
        identity = encoder.spec.fingerprint + ("+trunk" if self.own_trunk else "")
        self.open_partial_files = partial(open_partial_files, absolute, identity)
        self._files = self.open_partial_files()
        self._writer = PartialFileWriter(self._files)
        self._sources: list[Callable[[str], npt.NDArray[Any]]] = []
        self._places: dict[str, int] = {}
        self._fresh: Batches = []
        self._fresh_digests: set[str] = set()
        self._saved = time.monotonic()
        self.failed: dict[str, str] = {}
        self.n_encoded = 0
        for file, digests in self._files.read_all():
            self._add_file(file, digests)
        self._add_store(previous)
        self._first_new = len(self._sources) * _ROWS

    def __contains__(self, digest: object) -> bool:
        return digest in self._places or digest in self._fresh_digests or digest in self.failed

    def __iter__(self) -> Iterator[str]:
        yield from {*self._places, *self._fresh_digests, *self.failed}

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def was_encoded(self, digest: str) -> bool:
        """Return whether this run encoded an image."""
        place = self._places.get(digest)
        return digest in self._fresh_digests if place is None else place >= self._first_new

    def add_encoded(self, files: EncodedFiles) -> None:
        """Add files that an engine has encoded; every few seconds write new features to disk."""
        self.failed.update(files.failed)
        if files.partial_file:
            self.n_encoded += len(files.encoded)
            self._add_file(self._files.local_path(files.partial_file), files.encoded)
        elif files.features is not None:
            finite, features, lost = only_finite(files.encoded, files.features)
            self.failed.update(dict.fromkeys(lost, NOT_FINITE))
            self.n_encoded += len(finite)
            self._fresh.append((finite, features))
            self._fresh_digests.update(finite)
            size = sum(array.nbytes for _, batch in self._fresh for array in batch.values())
            if time.monotonic() - self._saved > PART_SECONDS or size > _PART_BYTES:
                self._write()

    def save(self) -> None:
        """Write new features to a partial file, and wait until all of them are on disk.

        Raises
        ------
        StoreWriteError
            When the disk is full or the folder not writable, now or in the background.
        """
        self._write()
        self._add_written(self._writer.wait())

    @property
    def write_seconds(self) -> float:
        """Seconds spent on writing partial files."""
        return self._writer.seconds

    def features_of(
        self, digests: Sequence[str]
    ) -> tuple[ComputedRows, ComputedRows | Literal["image"] | None]:
        """Return the features of saved images, and those before the projection.

        Both are float32 (len(digests), dim), in the form that `write_store` accepts.
        """
        image = self._rows_of(IMAGE, digests, self._encoder.spec.dim)
        if self.trunk == "trunk":
            return image, self._rows_of(TRUNK, digests, self._encoder.trunk_dim)
        return image, self.trunk

    def _rows_of(self, name: str, digests: Sequence[str], dim: int) -> ComputedRows:
        def gather(start: int, stop: int) -> npt.NDArray[np.float32]:
            out = np.empty((stop - start, dim), np.float32)
            for mine, source, rows in self._located(digests[start:stop]):
                out[mine] = source(name)[rows]
            return out

        return ComputedRows(gather, len(digests), dim)

    def hashes(self, digests: Sequence[str]) -> npt.NDArray[np.uint8]:
        """Return the perceptual hashes of saved images; zeros where not known."""
        out = unknown_array(HASH, len(digests)).copy()
        for mine, source, rows in self._located(digests):
            with suppress(KeyError):  # a partial file of a version without hashes
                out[mine] = source(HASH)[rows]
        return out

    def discard_partial_files(self) -> None:
        """Remove all partial files, once their features are in the store."""
        self._files.remove()

    def _located(
        self, digests: Sequence[str]
    ) -> Iterator[tuple[npt.NDArray[np.bool_], Callable[[str], Any], npt.NDArray[np.int64]]]:
        """Yield a mask of the images that each source has, the source, and their rows in it."""
        places = np.fromiter((self._places[one] for one in digests), np.int64, len(digests))
        sources, rows = np.divmod(places, _ROWS)
        for one in np.unique(sources):
            mine = sources == one
            yield mine, self._sources[one], rows[mine]

    def _write(self) -> None:
        """Queue new features for the writing thread."""
        fresh, self._fresh = self._fresh, []
        self._saved = time.monotonic()
        self._add_written(self._writer.add(fresh))

    def _add_written(self, written: list[tuple[Path, list[str]]]) -> None:
        for file, digests in written:
            self._add_file(file, digests)
            self._fresh_digests.difference_update(digests)

    def _add_file(self, file: Path, digests: Sequence[str]) -> None:
        rows = {digest: row for row, digest in enumerate(digests)}
        self._add_source(rows, partial(self._files.features, file))

    def _add_store(self, previous: PreviousStore) -> None:
        store = previous.store
        if store is not None and (store.has_trunk or not self.own_trunk):
            self._add_source(previous.by_digest, previous.features)
            self._add_source(previous.dropped_by_digest, previous.dropped_features)
        elif store is not None and previous.dropped is not None:
            raise InputError(
                f"{str(store.path)!r} has dropped images, whose trunk features are not made: take "
                "that back with 'fishembed fix --undo', or give another --store"
            )

    def _add_source(
        self, rows: Mapping[str, int], features: Callable[[str], npt.NDArray[Any]]
    ) -> None:
        """Add a source: rows by digest, and `features`, which returns an array by name."""
        first = len(self._sources) * _ROWS
        self._sources.append(features)
        for digest, row in rows.items():
            self._places.setdefault(digest, first + row)


class KnownByAll(Collection[str]):
    """Digests whose features all of several stores have; new features are added to each store.

    The features of a store have names that begin with its number, as `SeveralEncoders` returns
    them.
    """

    def __init__(self, stores: Sequence[KnownFeatures]) -> None:
        self._stores = stores

    def __contains__(self, digest: object) -> bool:
        return all(digest in known for known in self._stores)

    def __iter__(self) -> Iterator[str]:
        return (digest for digest in self._stores[0] if digest in self)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    @property
    def failed(self) -> dict[str, str]:
        """Digests that no encoder could encode, with the reason."""
        first, *others = (known.failed for known in self._stores)
        return {one: why for one, why in first.items() if all(one in other for other in others)}

    @property
    def write_seconds(self) -> float:
        """Seconds spent on writing partial files."""
        return sum(known.write_seconds for known in self._stores)

    def add_encoded(self, files: EncodedFiles) -> None:
        """Add to each store the features of its encoder, except those it already has."""
        for number, known in enumerate(self._stores):
            prefix = f"{number}:"
            own = {
                name.removeprefix(prefix): array
                for name, array in (files.features or {}).items()
                if name.startswith(prefix)
            }
            new = [at for at, digest in enumerate(files.encoded) if digest not in known]
            known.add_encoded(
                replace(
                    files,
                    encoded=[files.encoded[at] for at in new],
                    features={name: array[new] for name, array in own.items()} if new else None,
                )
            )

    def save(self) -> None:
        """Write the new features of every store to partial files, see `KnownFeatures.save`."""
        for known in self._stores:
            known.save()


class PartialFileWriter:
    """Writes partial files in a thread, with a short queue.

    An error is raised by the next call, and features that could not be written are written again
    then, so that nothing is lost once a full disk has been cleared.

    Parameters
    ----------
    parts
        Folder of the partial files.
    """

    def __init__(self, parts: PartialFiles) -> None:
        self._parts = parts
        self._pool: ThreadPoolExecutor | None = None
        self._waiting: deque[tuple[Future[Path], Batches]] = deque()
        self._failed: Batches = []
        self._done: list[tuple[Path, list[str]]] = []
        self.seconds = 0.0

    def add(self, batches: Batches) -> list[tuple[Path, list[str]]]:
        """Add batches to the next partial file; return the files written by now."""
        batches, self._failed = self._failed + batches, []
        if any(digests for digests, _ in batches):
            if self._pool is None:
                self._pool = ThreadPoolExecutor(1, thread_name_prefix="write")
            self._waiting.append((self._pool.submit(self._write, batches), batches))
        return self._written(_PARTS_WAITING)

    def wait(self) -> list[tuple[Path, list[str]]]:
        """Wait until all is written, end the thread, and return the files written since."""
        try:
            return self._written(0)
        finally:
            if self._pool is not None:
                self._pool.shutdown()
                self._pool = None

    def _write(self, batches: Batches) -> Path:
        began = time.perf_counter()
        digests = [digest for some, _ in batches for digest in some]
        part = self._parts.write(digests, joined([features for _, features in batches]))
        self.seconds += time.perf_counter() - began
        return part

    def _written(self, may_wait: int) -> list[tuple[Path, list[str]]]:
        written, error = self._done, None
        self._done = []
        while self._waiting and (len(self._waiting) > may_wait or self._waiting[0][0].done()):
            promise, batches = self._waiting.popleft()
            try:
                part = promise.result()
            except Exception as failure:  # raised below, after all finished ones are handled
                self._failed += batches
                error = error or failure
            else:
                written.append((part, [digest for some, _ in batches for digest in some]))
        if error is not None:
            self._done = written
            raise error
        return written


def only_finite(
    digests: Sequence[str], features: FeatureArrays
) -> tuple[list[str], FeatureArrays, set[str]]:
    """Return digests and features of images with finite features, and the other digests."""
    finite = np.all([np.isfinite(array).all(axis=1) for array in features.values()], axis=0)
    if finite.all():
        return list(digests), features, set()
    good = [digest for digest, fine in zip(digests, finite, strict=True) if fine]
    usable = {name: array[finite] for name, array in features.items()}
    return good, usable, set(digests) - set(good)
