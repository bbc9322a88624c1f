"""What must be read, what is known already, and what left the source."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fishembed.cache import FeatureStore, Rows
from fishembed.errors import StoreMismatchError
from fishembed.images import Item, Source


@dataclass(frozen=True)
class PlannedRow:
    """One picture of the source.

    Attributes
    ----------
    item
        What the source says of it.
    size, mtime_ns
        Of the file now; -1 where it is missing.
    digest
        SHA-256 of its bytes where size and time say that it has not changed, else None.
    before
        Its digest in the store, "" where the store does not have its path.
    """

    item: Item
    size: int
    mtime_ns: int
    digest: str | None
    before: str


@dataclass(frozen=True)
class Plan:
    """What an extraction has to do.

    Attributes
    ----------
    rows
        The pictures of the source, in its order.
    left
        Row numbers of the store whose path is no longer in the source.
    """

    rows: tuple[PlannedRow, ...]
    left: tuple[int, ...]

    @property
    def unread(self) -> list[int]:
        """Numbers of the rows whose file must be read."""
        return [i for i, row in enumerate(self.rows) if row.digest is None]

    def arrivals(self, digests: Sequence[str | None]) -> tuple[int, int]:
        """Count the pictures under a new path, and those whose bytes have changed.

        Parameters
        ----------
        digests
            Of each row, None where it could not be read.
        """
        pairs = [(row.before, digest) for row, digest in zip(self.rows, digests, strict=True)]
        new = sum(1 for before, digest in pairs if digest and not before)
        changed = sum(1 for before, digest in pairs if digest and before not in ("", digest))
        return new, changed


def make_plan(source: Source, store: FeatureStore | None) -> Plan:
    """Compare a source with the store it was extracted to before.

    Raises
    ------
    StoreMismatchError
        When the store was made from another source that is still there.
    """
    if store is not None:
        _check_root(source, store)
    known = {} if store is None else {path: i for i, path in enumerate(store.paths)}
    rows = tuple(_plan_row(source.root, item, store, known.get(item.path)) for item in source.items)
    here = {item.path for item in source.items}
    left = tuple(i for path, i in known.items() if path not in here)
    return Plan(rows, left)


def kept_rows(plan: Plan, store: FeatureStore | None, digests: list[str | None]) -> list[int]:
    """Choose the rows of the store that stay although the source has lost them.

    A picture that now lies elsewhere under a path that is new has moved; it does not stay
    at its old place.

    Parameters
    ----------
    digests
        Of each planned row, None where it could not be read.
    """
    if store is None:
        return []
    arrived = {
        digest for row, digest in zip(plan.rows, digests, strict=True) if digest and not row.before
    }
    return [i for i in plan.left if store.digests[i] not in arrived]


def store_rows(
    plan: Plan, digests: list[str | None], classes: list[str], old: Rows | None, kept: list[int]
) -> Rows:
    """Put the columns of the new store together: the source's rows, then those kept.

    Parameters
    ----------
    digests
        Of each planned row, None for those that are skipped.
    classes
        Names of the classes, in the order that labels count.
    old, kept
        The rows of the store before, with labels that count in `classes`, and which stay.
    """
    import numpy as np

    number = {name: i for i, name in enumerate(classes)}
    found = [
        replace(row, digest=digest)
        for row, digest in zip(plan.rows, digests, strict=True)
        if digest is not None
    ]
    columns: dict[str, list[object]] = {
        "path": [row.item.path for row in found],
        "digest": [row.digest for row in found],
        "size": [row.size for row in found],
        "mtime_ns": [row.mtime_ns for row in found],
        "label": [-1 if row.item.label is None else number[row.item.label] for row in found],
        "split": [row.item.split for row in found],
        "group": [row.item.group for row in found],
    }
    if old is not None:
        for name, column in columns.items():
            column.extend(getattr(old, name)[i] for i in kept)
    return Rows(
        path=columns["path"],  # type: ignore[arg-type]
        digest=columns["digest"],  # type: ignore[arg-type]
        size=np.array(columns["size"], np.int64),
        mtime_ns=np.array(columns["mtime_ns"], np.int64),
        label=np.array(columns["label"], np.int32),
        split=columns["split"],  # type: ignore[arg-type]
        group=columns["group"],  # type: ignore[arg-type]
    )


def _plan_row(root: Path, item: Item, store: FeatureStore | None, at: int | None) -> PlannedRow:
    try:
        state = (root / item.path).stat()
        size, mtime_ns = state.st_size, state.st_mtime_ns
    except OSError:
        size, mtime_ns = -1, -1
    if store is None or at is None:
        return PlannedRow(item, size, mtime_ns, None, "")
    rows, digest = store.rows, store.digests[at]
    same = size >= 0 and (size, mtime_ns) == (int(rows.size[at]), int(rows.mtime_ns[at]))
    return PlannedRow(item, size, mtime_ns, digest if same else None, digest)


def _check_root(source: Source, store: FeatureStore) -> None:
    root = store.source.get("root")
    if root is None or Path(root) == source.root or not Path(root).is_dir():
        return
    raise StoreMismatchError(
        f"{str(store.path)!r} holds the pictures of {root!r}, not those of {str(source.root)!r}: "
        "give another --store"
    )
