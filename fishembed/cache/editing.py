"""Change labels, splits and groups of a store, or drop rows, without encoding anything again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import to_path
from fishembed.cache.draft import Draft, Wanted
from fishembed.cache.history import Change, Edit
from fishembed.cache.lock import store_lock
from fishembed.cache.store import FeatureStore
from fishembed.errors import InputError, StoreIntegrityError

if TYPE_CHECKING:
    from upath import UPath

__all__ = ["Undone", "Wanted", "edit_store", "undo_edit"]


@dataclass(frozen=True)
class Undone:
    """An edit that was taken back.

    Attributes
    ----------
    edit
        The edit.
    left
        Changes of it that something later had changed again: they stay as they are.
    """

    edit: Edit
    left: tuple[Change, ...]


def edit_store(
    store: str | Path | UPath, wanted: Iterable[Wanted], *, verb: str, command: str = ""
) -> Edit:
    """Change cells of a store and record it in the store's history.

    Parameters
    ----------
    store
        The store; it is replaced whole, or stays as it is.
    wanted
        (path, column, value): a label by name ("" for none), a split, a group; or
        (path, "dropped", ""). What is so already is left out.
    verb, command
        What does it, for the record.

    Returns
    -------
    Edit
        What was changed; where that is nothing, nothing was written.

    Raises
    ------
    InputError
        When a path or label is unknown, or paths do not tell rows apart; nothing is written.
    StoreIntegrityError
        When the store is damaged: writing it anew would hide that.
    StoreLockedError
        When another process is writing the store.
    """
    place = to_path(store)
    when = datetime.now(timezone.utc).isoformat(timespec="seconds")
    with store_lock(place), FeatureStore.open(place) as opened:
        _check_whole(opened)
        draft = Draft(opened)
        edit = Edit(verb, when, command, tuple(draft.changes(wanted)))
        if edit.changes:
            draft.make(edit)
            draft.write((*opened.history, edit))
    return edit


def undo_edit(store: str | Path | UPath) -> Undone:
    """Take back the last edit of a store.

    Raises
    ------
    InputError
        When there is none.
    StoreIntegrityError, StoreLockedError
        As in `edit_store`.
    """
    place = to_path(store)
    with store_lock(place), FeatureStore.open(place) as opened:
        _check_whole(opened)
        if not opened.history:
            raise InputError(f"{str(place)!r} has no edit to take back: its history is empty")
        *earlier, last = opened.history
        draft = Draft(opened)
        left = draft.unmake(last)
        draft.write(tuple(earlier))
    return Undone(last, tuple(left))


def _check_whole(store: FeatureStore) -> None:
    damage = store.verify()
    if damage:
        raise StoreIntegrityError(
            f"{str(store.path)!r} is damaged in {damage[0].dataset!r}, so it is not changed: "
            "'fishembed info --verify' names the rows, 'fishembed extract' makes them again"
        )
