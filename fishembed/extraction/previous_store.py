"""The previous store, which an extraction continues, without its damaged parts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.progress import Progress
from fishembed.cache import (
    HASH,
    TRUNK,
    Dropped,
    FeatureStore,
    Rows,
    StoreHeader,
    TextFeatures,
    unknown_array,
)
from fishembed.errors import StoreIntegrityError, StoreNotFoundError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_ROWS = ("features/", "rows/", "metadata/")
_RECORD = ("history/", "dropped/")

_NO_ROWS = Rows([], [], np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.int32), [], [])


@contextmanager
def opened_or_none(place: AnyPath) -> Iterator[FeatureStore | None]:
    """Open a store; None where it does not exist yet."""
    if isinstance(place, Path) and not place.exists():
        yield None
        return
    try:
        # Its damaged rows are encoded again.
        store = FeatureStore.open(place, check=False, by_name=False)
    except StoreNotFoundError:
        yield None
        return
    with store:
        yield store


class PreviousStore:
    """The store before an extraction, or none; its checksums are verified, damage is reported."""

    def __init__(self, store: FeatureStore | None, reporter: Progress) -> None:
        self.store = store
        damage = [] if store is None else store.verify()
        self.is_damaged = bool(damage)
        self._datasets = {one.dataset for one in damage}
        self._bad_rows = {
            row
            for one in damage
            if one.dataset.startswith(_ROWS)
            for row in range(one.first, one.last + 1)
        }
        record = [name for name in self._datasets if name.startswith(_RECORD)]
        if store is not None and record:
            raise StoreIntegrityError(
                f"{str(store.path)!r} is damaged in {record[0]!r}: what was split and fixed by "
                "hand cannot be read, and no source knows it. Extract to another --store, split "
                "and fix that again"
            )
        if damage:
            reporter.message(
                f"the store is damaged in {', '.join(sorted(self._datasets))}: "
                f"{len(self._bad_rows):,} rows are not trusted and made again"
            )

    @cached_property
    def rows(self) -> Rows:
        """The store's rows, damaged ones included."""
        return _NO_ROWS if self.store is None else self.store.rows

    @cached_property
    def at(self) -> dict[str, int]:
        """Row numbers by path."""
        paths = () if self.store is None else self.store.paths
        return {path: i for i, path in enumerate(paths) if i not in self._bad_rows}

    @cached_property
    def states(self) -> dict[str, tuple[str, int, int]]:
        """Digest, size and time of each file by its path, dropped ones included."""
        states: dict[str, tuple[str, int, int]] = {}
        if self.dropped is not None:
            out = self.dropped
            dropped = zip(out.digest, out.size.tolist(), out.mtime_ns.tolist(), strict=True)
            states = dict(zip(out.path, dropped, strict=True))
        sizes, times = self.rows.size.tolist(), self.rows.mtime_ns.tolist()
        for path, i in self.at.items():
            states[path] = self.rows.digest[i], sizes[i], times[i]
        return states

    @cached_property
    def by_digest(self) -> dict[str, int]:
        """Row numbers by digest."""
        digests = () if self.store is None else self.store.digests
        return {digest: i for i, digest in enumerate(digests) if i not in self._bad_rows}

    @cached_property
    def dropped(self) -> Dropped | None:
        """Rows that were dropped by 'fishembed fix', None where there are none."""
        return None if self.store is None else self.store.dropped

    @cached_property
    def dropped_by_digest(self) -> dict[str, int]:
        """Row numbers among the dropped rows, by digest."""
        return {d: i for i, d in enumerate(self.dropped.digest)} if self.dropped else {}

    @cached_property
    def edited_classes(self) -> set[str]:
        """Classes that occur in edits or in dropped rows."""
        if self.store is None:
            return set()
        changes = (change for edit in self.store.history for change in edit.changes)
        names = {name for c in changes if c.column == "label" for name in (c.was, c.now)}
        return (names | set(self.dropped.label if self.dropped else ())) - {""}

    def dropped_features(self, name: str) -> npt.NDArray[Any]:
        """Return the array of an HDF5 dataset for the dropped rows."""
        if self.dropped is None:
            raise LookupError(name)
        if name == HASH:
            out = self.dropped
            return unknown_array(HASH, len(out)) if out.hash is None else out.hash
        own = self.dropped.trunk if name == TRUNK else None
        return self.dropped.image if own is None else own

    def can_keep(self, row: int) -> bool:
        """Return whether a row may stay without its image: it and the classes are undamaged."""
        return row not in self._bad_rows and "classes" not in self._datasets

    def features(self, name: str) -> npt.NDArray[Any]:
        """Return the array of an HDF5 dataset: image or trunk features, or hashes."""
        if self.store is None:
            raise LookupError(name)
        if name == HASH:
            return self.store.hashes
        return self.store.trunk if name == TRUNK else self.store.features

    @cached_property
    def texts(self) -> Mapping[str, TextFeatures]:
        """Undamaged text features by prompt set."""
        if self.store is None:
            return {}
        bad = {name.split("/")[1] for name in self._datasets if name.startswith("text/")}
        return {key: self.store.text(key) for key in self.store.text_keys if key not in bad}

    def labels_in(self, classes: list[str]) -> npt.NDArray[np.int32]:
        """Return the rows' labels as indices of other classes, -1 where theirs is not one."""
        if self.store is None:
            return np.zeros(0, np.int32)
        number = {name: i for i, name in enumerate(classes)}
        known = np.array([number.get(name, -1) for name in self.store.classes] + [-1], np.int32)
        labels = self.store.labels
        inside = (labels >= 0) & (labels < len(self.store.classes))
        return np.asarray(known[np.where(inside, labels, -1)], np.int32)

    def classes_of(self, rows: list[int]) -> set[str]:
        """Return the classes of some rows."""
        if self.store is None or not rows:
            return set()
        labels = self.store.labels[rows]
        return {self.store.classes[label] for label in np.unique(labels[labels >= 0])}

    def differs(self, head: StoreHeader, rows: Rows, *, trunk: bool) -> bool:
        """Return whether the store must be written: it is new, damaged, or its content differs."""
        store = self.store
        if store is None or self.is_damaged or store.has_trunk != trunk:
            return True
        then, now = _compared(store.header), _compared(head)
        return then != now or not store.rows.is_same(rows)


def _compared(head: StoreHeader) -> tuple[object, ...]:
    """Return the parts of a header by which stores are compared."""
    texts = {key: text.identity for key, text in head.text.items()}
    dropped = [] if head.dropped is None else list(head.dropped.path)
    names = (head.classes, head.skipped, head.history)
    return dict(head.encoder), dict(head.source), texts, dropped, *names
