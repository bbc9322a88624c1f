"""What must be read, what is known already, and what left the source."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import overload

from fishembed._base.paths import to_path
from fishembed.cache import FeatureStore
from fishembed.errors import StoreMismatchError
from fishembed.extraction.before import Before
from fishembed.images import Blob, Item, Source


@dataclass(frozen=True, slots=True)
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
        Row numbers of the store whose path has left the source, or whose file is missing.
    """

    rows: tuple[PlannedRow, ...]
    left: tuple[int, ...]

    @property
    def unread(self) -> list[int]:
        """Numbers of the rows whose file must be read."""
        return [i for i, row in enumerate(self.rows) if row.digest is None]

    def arrivals(self, digests: Sequence[str | None], encoded: Container[str]) -> tuple[int, int]:
        """Count the encoded pictures whose path is new, and those that the store had before.

        Parameters
        ----------
        digests
            Of each row, None where it could not be read.
        encoded
            Digests of the pictures that were encoded; of identical ones the first counts.
        """
        first = {digest: row for row, digest in zip(self.rows[::-1], digests[::-1], strict=True)}
        known = [bool(row.before) for digest, row in first.items() if digest in encoded]
        return known.count(False), known.count(True)

    def gone(self, digests: Sequence[str | None], before: Before) -> list[int]:
        """Give the rows of the store whose picture is nowhere in the source.

        A picture that now lies under a path that is new has moved; it is not gone.

        Parameters
        ----------
        digests
            Of each row, None where it could not be read.
        before
            The store.
        """
        pairs = zip(self.rows, digests, strict=True)
        arrived = {digest for row, digest in pairs if digest and not row.before}
        known = before.rows.digest if before.rows is not None else ()
        return [i for i in self.left if known[i] not in arrived]


class Files(Sequence[Path | Blob]):
    """The files of some rows, each looked up when it is asked for.

    A list of a million paths would be the largest thing in memory.

    Parameters
    ----------
    source
        The pictures.
    plan
        Its rows.
    numbers
        Of the rows whose files these are.
    """

    def __init__(self, source: Source, plan: Plan, numbers: Sequence[int]) -> None:
        self._source, self._plan, self._numbers = source, plan, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, at: int) -> Path | Blob: ...

    @overload
    def __getitem__(self, at: slice) -> Sequence[Path | Blob]: ...

    def __getitem__(self, at: int | slice) -> Path | Blob | Sequence[Path | Blob]:
        if isinstance(at, slice):
            return [self[i] for i in range(*at.indices(len(self)))]
        return self._source.at(self._plan.rows[self._numbers[at]].item.path)


def make_plan(source: Source, before: Before, known: Container[str]) -> Plan:
    """Compare a source with the store it was extracted to before.

    Parameters
    ----------
    source
        The pictures.
    before
        The store.
    known
        Digests whose vectors there are.

    Raises
    ------
    StoreMismatchError
        When the store was made from another source that is still there.
    """
    if before.store is not None:
        check_root(source, before.store)
    rows = tuple(_planned_rows(source, before, known))
    here = {row.item.path for row in rows if row.size >= 0}
    return Plan(rows, tuple(i for path, i in before.at.items() if path not in here))


def check_root(source: Source, store: FeatureStore) -> None:
    """Refuse to mix the pictures of two folders in one store."""
    root = store.source.get("root")
    if root is None or root == str(source.root) or not to_path(root).is_dir():
        return
    raise StoreMismatchError(
        f"{str(store.path)!r} holds the pictures of {root!r}, not those of {str(source.root)!r}: "
        "give another --store"
    )


def _planned_rows(source: Source, before: Before, known: Container[str]) -> list[PlannedRow]:
    states: dict[str, tuple[str, int, int]] = {}
    if before.rows is not None:
        columns = before.rows
        sizes, times = columns.size.tolist(), columns.mtime_ns.tolist()
        states = {path: (columns.digest[i], sizes[i], times[i]) for path, i in before.at.items()}
    out = before.dropped
    if out is not None:
        dropped = zip(out.digest, out.size.tolist(), out.mtime_ns.tolist(), strict=True)
        states = dict(zip(out.path, dropped, strict=True)) | states
    rows = []
    for item in source.items:
        size, mtime_ns = source.state(item.path)
        digest, *state = states.get(item.path, ("", -1, -1))
        same = size >= 0 and state == [size, mtime_ns] and digest in known
        rows.append(PlannedRow(item, size, mtime_ns, digest if same else None, digest))
    return rows
