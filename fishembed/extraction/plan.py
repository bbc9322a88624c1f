"""Comparison of a dataset with its store: files to read, known images, images that are gone."""

from __future__ import annotations

import os
from collections.abc import Callable, Container, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from fishembed._base.paths import is_remote, to_path
from fishembed._base.remote_files import FETCH, remote_errors
from fishembed.cache import FeatureStore, box_cut_text
from fishembed.errors import StoreMismatchError
from fishembed.extraction.previous_store import PreviousStore
from fishembed.extraction.read_block import File
from fishembed.images import Dataset, Sample


@dataclass(frozen=True)
class Plan:
    """Plan of an extraction in columns: the samples that are known, and those to read.

    Attributes
    ----------
    samples
        The n images of the dataset, in its order.
    size, mtime_ns
        int64 (n,), of each file now; -1 where it is not known.
    digests
        SHA-256 of each file's bytes where its size and time are unchanged, else None.
    before
        Digest of each sample in the store, "" where the store lacks its path.
    """

    samples: Sequence[Sample]
    size: npt.NDArray[np.int64]
    mtime_ns: npt.NDArray[np.int64]
    digests: Sequence[str | None]
    before: Sequence[str]

    @cached_property
    def unread(self) -> npt.NDArray[np.int64]:
        """Indices of the samples whose file must be read."""
        return np.array([i for i, known in enumerate(self.digests) if known is None], np.int64)

    def arrivals(
        self, digests: Sequence[str | None], was_encoded: Callable[[str], bool]
    ) -> tuple[int, int]:
        """Count the encoded images whose path is new, and those that the store had before.

        `digests` has one digest for each sample, None where it could not be read; of identical
        images the first counts.
        """
        first = {digest: i for i in reversed(self.unread.tolist()) if (digest := digests[i])}
        had = [bool(self.before[i]) for digest, i in first.items() if was_encoded(digest)]
        return had.count(False), had.count(True)

    def gone(self, digests: Sequence[str | None], previous: PreviousStore) -> list[int]:
        """Return the rows of the store whose image was not read.

        A path that was read is never gone, whatever its size was. An image that now lies under a
        new path has moved and is not gone either.
        """
        read = zip(self.samples, digests, strict=True)
        here = {sample.path for sample, digest in read if digest is not None}
        left = [row for path, row in previous.at.items() if path not in here]
        pairs = zip(self.before, digests, strict=True)
        arrived = {digest for before, digest in pairs if digest and not before}
        return [row for row in left if previous.rows.digest[row] not in arrived]


class PlannedFiles(Sequence[File]):
    """Sequence of the files that must be read, each resolved on access.

    A list of a million paths would be the largest object in memory.
    """

    def __init__(self, dataset: Dataset, plan: Plan) -> None:
        self._dataset, self._numbers = dataset, plan.unread.tolist()
        self._root = os.path.join(str(dataset.root), "")  # noqa: PTH118 - joined a million times

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> File: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[File]: ...

    def __getitem__(self, at: int | slice) -> File | Sequence[File]:
        if isinstance(at, slice):
            return [self._file(i) for i in self._numbers[at]]
        return self._file(self._numbers[at])

    def _file(self, number: int) -> File:
        path = self._dataset.samples[number].path
        return self._dataset.image_bytes.get(path) or os.path.join(self._root, path)  # noqa: PTH118


def make_plan(dataset: Dataset, previous: PreviousStore, known: Container[str]) -> Plan:
    """Compare a dataset with its previous store and with known features.

    Raises
    ------
    StoreMismatchError
        When the store was made from another dataset that still exists, or with other box cuts.
    """
    if previous.store is not None:
        _check_root(dataset, previous.store)
        _check_cut(dataset, previous.store)
    n = len(dataset.samples)
    size, mtime_ns = np.empty(n, np.int64), np.empty(n, np.int64)
    digests: list[str | None] = [None] * n
    before = [""] * n
    states = previous.states
    for i, sample in enumerate(dataset.samples):
        size[i], mtime_ns[i] = state = dataset.state(sample.path)
        if sample.path in states:
            before[i], *then = states[sample.path]
            if state[0] >= 0 and tuple(then) == state and before[i] in known:
                digests[i] = before[i]
    return Plan(dataset.samples, size, mtime_ns, digests, before)


def _check_root(dataset: Dataset, store: FeatureStore) -> None:
    """Raise where the images of two folders would be mixed in one store.

    A store may come from a stranger: only the host of the dataset itself is asked whether a remote
    folder still exists, other hosts only where the user allows it.
    """
    root = store.source.get("root")
    if root is None or root == str(dataset.root):
        return
    paths = (*(sample.path for sample in dataset.samples), *store.paths)
    if all(map(os.path.isabs, paths)):
        return  # the root is only their common folder: new images may lie in another
    place, remedy = to_path(root), ""
    if is_remote(place) and not (os.environ.get(FETCH) or _host(root) == _host(dataset.root)):
        remedy = f", or set {FETCH}=1 to have it asked whether those are gone"
    else:
        with remote_errors(place):
            if not place.is_dir():
                return
    raise StoreMismatchError(
        f"{str(store.path)!r} holds the images of {root!r}, not those of {str(dataset.root)!r}: "
        f"give another --store{remedy}"
    )


def _check_cut(dataset: Dataset, store: FeatureStore) -> None:
    """Raise where boxes cut in two ways would be mixed in one store."""
    before = store.source.get("boxes")
    if before is None or dataset.cut is None or dict(before) == dict(dataset.cut):
        return
    raise StoreMismatchError(
        f"{str(store.path)!r} holds boxes that were cut with {box_cut_text(before)}, not "
        f"{box_cut_text(dataset.cut)}: give the same, or another --store"
    )


def _host(root: object) -> tuple[str, str]:
    where = urlsplit(str(root))
    return where.scheme, where.netloc
