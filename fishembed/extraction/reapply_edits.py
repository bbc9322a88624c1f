"""Edits of a store made again on the rows of the next extraction."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from fishembed._base.text import counted
from fishembed.cache import AppliedHistory, Dropped, Edit, Rows, apply_history
from fishembed.extraction.previous_store import PreviousStore


@dataclass(frozen=True)
class EditedRows:
    """Rows of the dataset with the store's edits made again.

    Attributes
    ----------
    rows
        Without those that stay dropped.
    history, dropped
        What the new store keeps of them.
    notes
        Sentences for people.
    """

    rows: Rows
    history: tuple[Edit, ...]
    dropped: Dropped | None
    notes: tuple[str, ...]


def reapply_edits(rows: Rows, classes: list[str], before: PreviousStore) -> EditedRows:
    """Make the edits of the store before again on the rows of its source.

    Parameters
    ----------
    rows
        What the dataset says, and rows that stay without their source.
    classes
        Names of the classes, in the order that labels count.
    before
        The store before.
    """
    if before.store is None or not before.store.history:
        return EditedRows(rows, (), None, ())
    names = [*classes, ""]
    values = {
        "label": [names[label] for label in rows.label],
        "split": rows.split,
        "group": rows.group,
    }
    out = before.store.dropped
    known = {*before.at, *(out.path if out else ())}
    new = {path for path in rows.path if path not in known}
    done = apply_history(rows.path, rows.digest, values, before.store.history, new=new)
    number = {name: i for i, name in enumerate(names[:-1])} | {"": -1}
    amended = replace(
        rows,
        label=np.array([number[name] for name in done.values["label"]], np.int32),
        split=done.values["split"],
        group=done.values["group"],
    )
    out_now = _moved(out, rows, done.dropped, new)
    left = [i for i in range(len(rows)) if i not in done.dropped]
    return EditedRows(amended.take(left), done.history, out_now, tuple(_notes(amended, done)))


def _notes(rows: Rows, done: AppliedHistory) -> Iterator[str]:
    if done.held or done.dropped:
        yield (
            f"kept what was edited in the store: {counted(done.held, 'cell')} (label, split, "
            f"group), {counted(len(done.dropped), 'image')} dropped; 'fishembed fix --undo' "
            "takes the last edit back"
        )
    if done.overruled:
        first = rows.path[done.overruled[0]]
        yield (
            f"the dataset says something new of {counted(len(done.overruled), 'edited image')}, "
            f"which is taken; the first: {first!r}"
        )
    unsplit = [path for path, split in zip(rows.path, rows.split, strict=True) if not split]
    if any(edit.verb == "split" for edit in done.history) and unsplit:
        yield (
            f"{counted(len(unsplit), 'image')} without a split, the first: {unsplit[0]!r}: "
            "'fishembed split' deals them too"
        )


def _moved(
    out: Dropped | None, rows: Rows, dropped: frozenset[int], new: set[str]
) -> Dropped | None:
    """Return the dropped rows under the paths that their images have now."""
    if out is None:
        return None
    here = set(rows.path)
    arrived = {rows.digest[i]: rows.path[i] for i in dropped if rows.path[i] in new}
    paths = [
        path if path in here else arrived.get(digest, path)
        for path, digest in zip(out.path, out.digest, strict=True)
    ]
    return replace(out, path=paths)
