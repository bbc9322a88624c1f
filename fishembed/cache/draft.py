"""A store's rows while they are being changed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed.cache.history import Change, Dropped, Edit
from fishembed.cache.schema import Rows
from fishembed.cache.store import FeatureStore
from fishembed.cache.writer import Gathered, Vectors, write_store
from fishembed.errors import InputError

Wanted = tuple[str, str, str]
_SEARCHED = 20_000


class Draft:
    """The rows of a store and, behind them, those that were dropped from it.

    Rows keep their number; which of them the store shall have, in which order, is a list.

    Parameters
    ----------
    store
        Open until the draft is written.

    Raises
    ------
    InputError
        When two rows have one path.
    """

    def __init__(self, store: FeatureStore) -> None:
        self._store = store
        self._out = store.dropped
        rows, names = store.rows, [*store.classes, ""]
        self._cells: dict[str, list[str]] = {
            "path": [*rows.path],
            "digest": [*rows.digest],
            "label": [names[label] for label in store.labels],
            "split": [*rows.split],
            "group": [*rows.group],
        }
        self._size, self._mtime = rows.size, rows.mtime_ns
        if self._out is not None:
            for name, column in self._cells.items():
                column.extend(getattr(self._out, name))
            self._size = np.concatenate([rows.size, self._out.size])
            self._mtime = np.concatenate([rows.mtime_ns, self._out.mtime_ns])
        self._order = list(range(len(store)))
        self._row = {path: i for i, path in enumerate(store.paths)}
        if len(self._row) < len(store):
            twice = next(path for i, path in enumerate(store.paths) if self._row[path] != i)
            raise InputError(
                f"{str(store.path)!r} has more than one row of the path {twice!r}: edits go by "
                "path, and these rows cannot be told apart"
            )

    def changes(self, wanted: Iterable[Wanted]) -> list[Change]:
        """Give what would change; refuse what cannot be."""
        found: dict[tuple[str, str], Change] = {}
        for path, column, now in wanted:
            row = self._row.get(path)
            if row is None:
                raise InputError(
                    f"{str(self._store.path)!r} has no picture {path!r}{self._close_to(path)}"
                )
            if column == "label" and now and now not in self._store.classes:
                raise InputError(self._unknown_label(path, now))
            was = str(row) if column == "dropped" else self._cells[column][row]
            change = Change(path, self._cells["digest"][row], column, was, now)
            before = found.setdefault((path, column), change)
            if before.now != now:
                raise InputError(
                    f"{path!r} is given two values of {column}: {before.now!r} and {now!r}"
                )
        for path, column in found:
            if column != "dropped" and (path, "dropped") in found:
                raise InputError(f"{path!r} is both dropped and given a {column}: decide on one")
        return [c for c in found.values() if c.column == "dropped" or c.was != c.now]

    def make(self, edit: Edit) -> None:
        """Make the changes of an edit."""
        gone = set()
        for change in edit.changes:
            row = self._row[change.path]
            if change.column == "dropped":
                gone.add(row)
            else:
                self._cells[change.column][row] = change.now
        self._order = [row for row in self._order if row not in gone]
        if not self._order:
            raise InputError("every picture would be dropped, and a store has at least one")

    def unmake(self, edit: Edit) -> list[Change]:
        """Take changes back, and give those that something later has changed again."""
        n, left = len(self._store), []
        out = {} if self._out is None else {path: n + i for i, path in enumerate(self._out.path)}
        dropped = [change for change in edit.changes if change.column == "dropped"]
        for change in sorted(dropped, key=lambda one: int(one.was)):
            if change.path in out and change.path not in self._row:
                self._order.insert(int(change.was), out[change.path])
                self._row[change.path] = out[change.path]
            else:
                left.append(change)
        for change in edit.changes:
            if change.column == "dropped":
                continue
            row = self._row.get(change.path)
            if row is None or self._cells[change.column][row] != change.now:
                left.append(change)
            else:
                self._cells[change.column][row] = change.was
        return left

    def write(self, history: tuple[Edit, ...]) -> None:
        """Write the store, with its history."""
        store, out = self._store, self._out
        trunk: Vectors | Literal["image"] | None = None
        if store.trunk_is_image:
            trunk = "image"
        elif store.has_trunk:
            trunk = self._vectors(store.trunk, None if out is None else out.trunk)
        image = self._vectors(store.features, None if out is None else out.image)
        write_store(
            store.path,
            replace(store.head, history=history, dropped=self._dropped()),
            self._rows(),
            image,
            trunk=trunk,
            dtype=store.features.dtype,
        )

    def _rows(self) -> Rows:
        number = {name: i for i, name in enumerate(self._store.classes)} | {"": -1}
        cells = {name: [column[i] for i in self._order] for name, column in self._cells.items()}
        labels = np.array([number[label] for label in cells.pop("label")], np.int32)
        size, mtime_ns = self._size[self._order], self._mtime[self._order]
        return Rows(**cells, label=labels, size=size, mtime_ns=mtime_ns)

    def _dropped(self) -> Dropped | None:
        inside = set(self._order)
        rows = [row for row in range(len(self._cells["path"])) if row not in inside]
        if not rows:
            return None
        store, out = self._store, self._out
        image = self._vectors(store.features, None if out is None else out.image, rows)
        trunk = None
        if store.has_trunk and not store.trunk_is_image:
            own = self._vectors(store.trunk, None if out is None else out.trunk, rows)
            trunk = own.gather(0, len(rows))
        return Dropped(
            **{name: [column[i] for i in rows] for name, column in self._cells.items()},
            size=self._size[rows],
            mtime_ns=self._mtime[rows],
            image=image.gather(0, len(rows)),
            trunk=trunk,
        )

    def _vectors(
        self,
        array: npt.NDArray[Any],
        dropped: npt.NDArray[Any] | None,
        rows: list[int] | None = None,
    ) -> Gathered:
        order, n = np.array(self._order if rows is None else rows, np.intp), len(self._store)

        def gather(start: int, stop: int) -> npt.NDArray[Any]:
            wanted = order[start:stop]
            out = np.empty((len(wanted), array.shape[1]), array.dtype)
            inside = wanted < n
            out[inside] = array[wanted[inside]]
            if dropped is not None:
                out[~inside] = dropped[wanted[~inside] - n]
            return out

        return Gathered(gather, len(order), int(array.shape[1]), array.dtype)

    def _close_to(self, path: str) -> str:
        close = difflib.get_close_matches(path, self._store.paths[:_SEARCHED], 1, 0.8)
        return f": did you mean {close[0]!r}?" if close else ""

    def _unknown_label(self, path: str, label: str) -> str:
        classes = self._store.classes
        close = difflib.get_close_matches(label, classes, 1, 0.6)
        hint = f"did you mean {close[0]!r}?" if close else f"it has {len(classes)} others."
        return (
            f"{path!r} shall be {label!r}, which is no class of {str(self._store.path)!r}: {hint} "
            "A new class comes in with the source, through 'fishembed extract'"
        )
