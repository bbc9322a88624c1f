"""Change labels, splits and groups of a store, or drop rows, without encoding anything again."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fishembed._base.paths import Place
from fishembed._base.text import did_you_mean, is_slip
from fishembed.cache.edit_history import Change, Dropped, Edit, Remark
from fishembed.cache.lazy_rows import Matrix, SelectedRows, StackedRows
from fishembed.cache.opening import open_store, store_place
from fishembed.cache.rows import (
    Rows,
)
from fishembed.cache.schema import EncodeNames
from fishembed.cache.store import FeatureKind, Store
from fishembed.cache.writer import store_lock, write_store
from fishembed.errors import DataError, InputError, StoreIntegrityError

if TYPE_CHECKING:
    from upath import UPath

CellEdit = tuple[str, str, str]
"""(path, column, value): what a cell shall be; or (path, "dropped", "")."""


@dataclass(frozen=True)
class UndoneEdit:
    """An undone edit; its changes in `left`, which were changed again later, stay as they are."""

    edit: Edit
    left: tuple[Change, ...]


def edit_store(
    store: str | Path | UPath,
    edits: Iterable[CellEdit],
    *,
    verb: str,
    command: str = "",
    remarks: Mapping[str, Remark] | None = None,
    new_classes: Collection[str] | None = None,
    encode_names: EncodeNames | None = None,
) -> Edit:
    """Change cells of a store and record it in the store's history.

    Parameters
    ----------
    store
        The store; it is replaced whole, or stays as it is.
    edits
        (path, column, value): a label by name ("" for none), a split, a group; or
        (path, "dropped", ""). Cells that have the value already are left out.
    verb, command
        What makes the edit, for the record.
    remarks
        Who decided, when, and why the image was selected, by path.
    new_classes
        Names that become classes in any case; others do unless they resemble a misspelt class.
        None where no class may be added.
    encode_names
        Returns text features of the new classes; where it is None, or returns None, they are
        missing until the next `extract`.

    Returns
    -------
    Edit
        The changes; where there are none, nothing was written.

    Raises
    ------
    InputError
        When a path or label is unknown, or rows share a path; nothing is written.
    StoreIntegrityError
        When the store is damaged: writing it anew would hide that.
    StoreLockedError
        When another process is writing the store.
    """
    place = store_place(store)
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with store_lock(place) as state, open_store(place, by_name=False) as opened:
        _check_undamaged(opened)
        rows = _EditableRows(opened, new_classes)
        known = remarks or {}
        changes = [
            replace(c, **known[c.path]._asdict()) if c.path in known else c
            for c in rows.changes(edits)
        ]
        edit = Edit(verb, when, command, tuple(changes))
        if edit.changes:
            rows.apply(edit)
            rows.write((*opened.history, edit), encode_names, replaces=state)
    return edit


def undo_edit(store: str | Path | UPath) -> UndoneEdit:
    """Undo the last edit of a store.

    Raises
    ------
    InputError
        When there is none.
    StoreIntegrityError, StoreLockedError
        As in `edit_store`.
    """
    place = store_place(store)
    with store_lock(place) as state, open_store(place, by_name=False) as opened:
        _check_undamaged(opened)
        if not opened.history:
            raise InputError(f"{str(place)!r} has no edit to take back: its history is empty")
        *earlier, last = opened.history
        rows = _EditableRows(opened)
        left = rows.revert(last)
        rows.forget_classes({change.now for change in last.changes if change.column == "label"})
        rows.write(tuple(earlier), replaces=state)
    return UndoneEdit(last, tuple(left))


def _check_undamaged(store: Store) -> None:
    damage = store.verify()
    if damage:
        raise StoreIntegrityError(
            f"{str(store.path)!r} is damaged in {damage[0].dataset!r}, so it is not changed: "
            "'fishembed info --verify' names the rows, 'fishembed extract' makes them again"
        )


class _EditableRows:
    """The rows of a store and, behind them, those that were dropped from it.

    Rows never change their number; a list has the numbers of those that the store shall have, in
    order. The store is open until they are written, and must not have two rows of one path.
    """

    def __init__(self, store: Store, new_classes: Collection[str] | None = None) -> None:
        self._store = store
        self._new_classes = new_classes
        self._classes = list(store.classes)
        self._dropped, self._rows = store.dropped, store.rows
        names = [*store.classes, ""]
        self._cells = {
            "label": [names[label] for label in store.labels],
            "split": list(self._rows.split),
            "group": list(self._rows.group),
        }
        if self._dropped is not None:
            self._rows = self._rows.followed_by(_as_rows(self._dropped))
            for name, cells in self._cells.items():
                cells.extend(getattr(self._dropped, name))
        self._order = list(range(len(store)))
        self._row_of = {path: row for row, path in enumerate(store.paths)}
        if len(self._row_of) < len(store):
            twice = next(path for row, path in enumerate(store.paths) if self._row_of[path] != row)
            raise DataError(
                f"{str(store.path)!r} has more than one row of the path {twice!r}: edits go by "
                "path, and these rows cannot be distinguished"
            )

    def changes(self, edits: Iterable[CellEdit]) -> list[Change]:
        """Return what edits would change; `DataError` for what is unknown or contradictory."""
        found: dict[tuple[str, str], Change] = {}
        gone = set(() if self._dropped is None else self._dropped.path)
        for named, column, now in edits:
            path: str = Place(named)
            row = self._row_of.get(path)
            if row is None and path in gone:
                if column == "dropped":
                    continue  # that was done before
                raise DataError(
                    f"{path!r} was dropped from {str(self._store.path)!r}: 'fishembed fix --undo' "
                    "brings back what the last fix dropped"
                )
            if row is None:
                hint = did_you_mean(path, self._store.paths, most=1, cutoff=0.8)
                raise DataError(f"{str(self._store.path)!r} has no image {path!r}{hint}")
            if column == "label" and now and now not in self._store.classes:
                self._check_new_class(path, now)
            was = str(row) if column == "dropped" else self._cells[column][row]
            change = Change(path, self._rows.digest[row], column, was, now)
            before = found.setdefault((path, column), change)
            if before.now != now:
                raise DataError(
                    f"{path!r} is given two values of {column}: {before.now!r} and {now!r}"
                )
        for path, column in found:
            if column != "dropped" and (path, "dropped") in found:
                raise DataError(f"{path!r} is both dropped and given a {column}: decide on one")
        return [c for c in found.values() if c.column == "dropped" or c.was != c.now]

    def apply(self, edit: Edit) -> None:
        """Make the changes of an edit."""
        gone = set()
        for change in edit.changes:
            row = self._row_of[change.path]
            if change.column == "dropped":
                gone.add(row)
            else:
                self._cells[change.column][row] = change.now
        named = {change.now for change in edit.changes if change.column == "label"} - {""}
        if named - set(self._classes):
            self._classes = sorted(named | set(self._classes))
        self._order = [row for row in self._order if row not in gone]
        if not self._order:
            raise DataError("every image would be dropped, and a store has at least one")

    def revert(self, edit: Edit) -> list[Change]:
        """Undo changes; return those that something later has changed again."""
        left = self._restore([one for one in edit.changes if one.column == "dropped"])
        for change in edit.changes:
            if change.column == "dropped":
                continue
            row = self._row_of.get(change.path)
            if row is None or self._cells[change.column][row] != change.now:
                left.append(change)
            else:
                self._cells[change.column][row] = change.was
        return left

    def _restore(self, changes: list[Change]) -> list[Change]:
        """Put dropped rows back to where they were; return those that cannot be."""
        n, left = len(self._store), []
        paths = () if self._dropped is None else self._dropped.path
        row_of = {path: n + i for i, path in enumerate(paths)}
        for change in sorted(changes, key=lambda one: int(one.was)):
            if change.path in row_of and change.path not in self._row_of:
                self._order.insert(int(change.was), row_of[change.path])
                self._row_of[change.path] = row_of[change.path]
            else:
                left.append(change)
        return left

    def forget_classes(self, names: set[str]) -> None:
        """Remove those of some classes that no row has, in the store or dropped from it."""
        unused = names - set(self._cells["label"])
        self._classes = [name for name in self._classes if name not in unused]

    def write(
        self,
        history: tuple[Edit, ...],
        encode_names: EncodeNames | None = None,
        *,
        replaces: str,
    ) -> None:
        """Write the store, with its history; `replaces` is what `store_lock` yielded."""
        store = self._store
        header = store.header.with_classes(self._classes, encode_names)
        own_trunk = store.has_trunk and not store.trunk_is_image
        shared_trunk: Literal["image"] | None = "image" if store.has_trunk else None
        inside = set(self._order)
        out = [row for row in range(len(self._rows)) if row not in inside]
        write_store(
            store.path,
            replace(header, history=history, dropped=self._rows_out(out, own_trunk)),
            self._rows_in(),
            self._features("image", self._order),
            trunk=self._features("trunk", self._order) if own_trunk else shared_trunk,
            dtype=store.features.dtype,
            replaces=replaces,
        )

    def _rows_in(self) -> Rows:
        number = {name: i for i, name in enumerate(self._classes)} | {"": -1}
        columns = self._columns(self._order)
        columns["label"] = np.array([number[label] for label in columns["label"]], np.int32)
        return Rows(**columns)

    def _rows_out(self, rows: list[int], own_trunk: bool) -> Dropped | None:
        if not rows:
            return None
        trunk = self._features("trunk", rows)[:] if own_trunk else None
        return Dropped(**self._columns(rows), image=self._features("image", rows)[:], trunk=trunk)

    def _columns(self, rows: list[int]) -> dict[str, Any]:
        cells = {name: [column[row] for row in rows] for name, column in self._cells.items()}
        return vars(self._rows.take(rows)) | cells

    def _features(self, which: FeatureKind, rows: list[int]) -> SelectedRows:
        own: Matrix = self._store.trunk if which == "trunk" else self._store.features
        matrices = [own] if self._dropped is None else [own, getattr(self._dropped, which)]
        lengths = [int(one.shape[0]) for one in matrices]
        stacked = StackedRows(lengths, matrices.__getitem__, int(own.shape[1]), own.dtype)
        return SelectedRows(stacked, np.array(rows, np.intp))

    def _check_new_class(self, path: str, label: str) -> None:
        slips = [name for name in self._store.classes if is_slip(label, name)]
        allowed = self._new_classes
        if allowed is not None and (label in allowed or not slips):
            return
        hint = f"did you mean {slips[0]!r}? " if slips else ""
        raise DataError(
            f"{path!r} shall be {label!r}, which is no class of {str(self._store.path)!r}: {hint}"
            "write new into the column 'action' where it is a class of its own"
        )


def _as_rows(dropped: Dropped) -> Rows:
    """Return dropped rows as those of a store, but for their labels, which are names."""
    columns = {name: getattr(dropped, name) for name in Rows.__dataclass_fields__}
    return Rows(**columns | {"label": np.full(len(dropped), -1, np.int32)})
