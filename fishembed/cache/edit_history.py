"""Edits of a store: changes since its images were encoded, which can be undone or repeated."""

from __future__ import annotations

import json
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fishembed._base.paths import places_of, shown
from fishembed._base.text import counted
from fishembed.cache.rows import Column

EDITABLE = ("label", "split", "group")
HISTORY = "history"
DROPPED = "dropped"
_CHANGES = ("path", "digest", "column", "was", "now")
_REMARKS = ("who", "decided", "chosen")
DROPPED_TEXTS = ("path", "digest", "label", "split", "group")
DROPPED_ARRAYS = ("size", "mtime_ns", "image", "trunk", "box", "time", "hash")


@dataclass(frozen=True)
class Change:
    """One changed cell.

    Attributes
    ----------
    path, digest
        The image, as the store names it.
    column, was, now
        label, split or group, as text; or dropped, where `was` is the number the row had.
    who, decided, chosen
        Who decided it and when, from the table of decisions; why the image was selected, such as
        "uncertain" or "random"; "" where not known.
    """

    path: str
    digest: str
    column: str
    was: str
    now: str
    who: str = ""
    decided: str = ""
    chosen: str = ""


class Remark(NamedTuple):
    """Remark of a table of decisions on one image, see `Change`."""

    who: str = ""
    decided: str = ""
    chosen: str = ""


@dataclass(frozen=True)
class Edit:
    """Changes, at least one, that were made together and are undone together.

    Attributes
    ----------
    verb, command
        What made them, split or fix; what repeats it.
    when
        Time, ISO 8601, UTC.
    """

    verb: str
    when: str
    command: str
    changes: tuple[Change, ...]

    def count(self, column: str) -> int:
        """Return the number of changes in a column."""
        return sum(1 for change in self.changes if change.column == column)

    def summary(self) -> str:
        """Return what the edit did, such as "2 labels, 1 image dropped"."""
        parts = [counted(n, column) for column in EDITABLE if (n := self.count(column))]
        dropped = self.count("dropped")
        return ", ".join([*parts, f"{counted(dropped, 'image')} dropped"] if dropped else parts)


@dataclass(frozen=True)
class Dropped:
    """Rows that were dropped from a store and can be restored.

    Columns are as in `fishembed.cache.Rows`, but labels by name, "" for none; features are in the
    store's type, the trunk's None where the store has none or they are the image features.
    """

    path: Sequence[str]
    digest: Sequence[str]
    label: Sequence[str]
    split: Sequence[str]
    group: Sequence[str]
    size: npt.NDArray[np.int64]
    mtime_ns: npt.NDArray[np.int64]
    image: npt.NDArray[Any]
    trunk: npt.NDArray[Any] | None = None
    box: npt.NDArray[np.float32] | None = None
    time: npt.NDArray[np.float64] | None = None
    hash: npt.NDArray[np.uint8] | None = None
    metadata: Mapping[str, Column] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.path)


def history_texts(edits: Sequence[Edit]) -> dict[str, list[str]]:
    """Return the datasets of a history by name, all of them text; see `read_history`."""
    found: dict[str, list[str]] = {}
    for number, edit in enumerate(edits):
        place = f"{HISTORY}/{number:04d}"
        about = {"verb": edit.verb, "when": edit.when, "command": shown(edit.command)}
        found[f"{place}/about"] = [json.dumps(about)]
        for name in _CHANGES:
            found[f"{place}/{name}"] = [getattr(change, name) for change in edit.changes]
        for name in _REMARKS:
            remarks = [getattr(change, name) for change in edit.changes]
            if any(remarks):
                found[f"{place}/{name}"] = remarks
    return found


def read_history(file: Mapping[str, Any], texts: Callable[[str], list[str]]) -> tuple[Edit, ...]:
    """Read what `history_texts` laid out; `texts` returns a dataset as text."""
    edits = []
    for number in sorted(file[HISTORY]) if HISTORY in file else ():
        place = f"{HISTORY}/{number}"
        about = json.loads(texts(f"{place}/about")[0])
        paths, *columns = [texts(f"{place}/{name}") for name in _CHANGES]
        columns += [
            texts(f"{place}/{name}") if name in file[place] else [""] * len(paths)
            for name in _REMARKS
        ]
        changes = tuple(Change(*c) for c in zip(places_of(paths), *columns, strict=True))
        edits.append(Edit(about["verb"], about["when"], shown(about["command"]), changes))
    return tuple(edits)


@dataclass(frozen=True)
class AppliedHistory:
    """The rows of a source after the edits of a store were repeated.

    Attributes
    ----------
    values
        The columns label, split and group afterwards, as text.
    dropped
        Numbers of the rows that stay out.
    history
        The edits, with the paths that moved images have now.
    held
        How many cells differ from the source because of the history.
    overruled
        Numbers of the rows where a newer value of the source won over an edit.
    """

    values: dict[str, list[str]]
    dropped: frozenset[int]
    history: tuple[Edit, ...]
    held: int
    overruled: tuple[int, ...]


def apply_history(
    paths: Sequence[str],
    digests: Sequence[str],
    values: Mapping[str, Sequence[str]],
    history: Sequence[Edit],
    *,
    new: Container[str],
) -> AppliedHistory:
    """Repeat a store's edits on the rows that its source has now.

    A cell is changed where its value is still that before the edit. Where the source has a newer
    value, that wins, so that fixes of the source count too. A dropped image stays out as long as
    its bytes are the same.

    Parameters
    ----------
    paths, digests
        Of each row.
    values
        The columns label, split and group as text.
    history
        The edits, oldest first.
    new
        Paths that the store did not have before: an edit follows its image there, by its
        bytes, when the path it had is gone.
    """
    rows = _RowIndex(paths, digests, new)
    cells = {name: list(values[name]) for name in EDITABLE}
    last: dict[tuple[str, int], str] = {}
    dropped: set[int] = set()
    edits = []
    for edit in history:
        changes: list[Change] = []
        for change in edit.changes:
            found = rows.of(change)
            changes.extend([replace(change, path=paths[row]) for row in found] or [change])
            for row in found:
                if change.column == "dropped":
                    if change.digest == digests[row]:
                        dropped.add(row)
                    continue
                last[change.column, row] = change.now
                if cells[change.column][row] == change.was:
                    cells[change.column][row] = change.now
        edits.append(replace(edit, changes=tuple(changes)))
    holds = {at: cells[at[0]][at[1]] == now for at, now in last.items()}
    held = [at for at, so in holds.items() if so and values[at[0]][at[1]] != last[at]]
    return AppliedHistory(
        values=cells,
        dropped=frozenset(dropped),
        history=tuple(edits),
        held=len(held),
        overruled=tuple(sorted({row for (_, row), so in holds.items() if not so} - dropped)),
    )


class _RowIndex:
    """Finds the rows of an image: by its path, or where that is gone by its bytes."""

    def __init__(self, paths: Sequence[str], digests: Sequence[str], new: Container[str]) -> None:
        self._at = {path: row for row, path in enumerate(paths)}
        self._moved: dict[str, list[int]] = {}
        for row, (path, digest) in enumerate(zip(paths, digests, strict=True)):
            if digest and path in new:
                self._moved.setdefault(digest, []).append(row)

    def of(self, change: Change) -> list[int]:
        row = self._at.get(change.path)
        return self._moved.get(change.digest, []) if row is None else [row]
