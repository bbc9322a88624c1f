"""A store's edits, made again on what its source says by now."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace

from fishembed.cache.history import EDITABLE, Change, Edit


@dataclass(frozen=True)
class Replayed:
    """What a history makes of rows that say what their source says.

    Attributes
    ----------
    values
        The columns label, split and group afterwards, as text.
    dropped
        Numbers of the rows that stay out.
    history
        The edits, with the paths that moved pictures have now.
    held
        Cells that are other than the source says, because of the history.
    overruled
        Numbers of rows that the source says something new of, which is taken.
    """

    values: dict[str, list[str]]
    dropped: frozenset[int]
    history: tuple[Edit, ...]
    held: int
    overruled: tuple[int, ...]


def replay(
    paths: Sequence[str],
    digests: Sequence[str],
    values: Mapping[str, Sequence[str]],
    history: Sequence[Edit],
    *,
    new: Container[str],
) -> Replayed:
    """Make a store's edits again on rows that say what their source says.

    A cell is changed where it still is what it was when the edit was made. Where the source
    says something new by now, that wins: neither who fixed the store nor who fixed the
    source is ignored. A dropped picture stays out as long as its bytes are the same.

    Parameters
    ----------
    paths, digests
        Of each row.
    values
        The columns label, split and group as text.
    history
        The edits, oldest first.
    new
        Paths that the store did not have before: an edit follows its picture there, by its
        bytes, when the path it had is gone.
    """
    rows = _Rows(paths, digests, new)
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
    return Replayed(
        values=cells,
        dropped=frozenset(dropped),
        history=tuple(edits),
        held=len(held),
        overruled=tuple(sorted({row for (_, row), so in holds.items() if not so} - dropped)),
    )


class _Rows:
    """Finds the rows of a picture: by its path, or where that is gone by its bytes."""

    def __init__(self, paths: Sequence[str], digests: Sequence[str], new: Container[str]) -> None:
        self._at = {path: row for row, path in enumerate(paths)}
        self._moved: dict[str, list[int]] = {}
        for row, (path, digest) in enumerate(zip(paths, digests, strict=True)):
            if digest and path in new:
                self._moved.setdefault(digest, []).append(row)

    def of(self, change: Change) -> list[int]:
        row = self._at.get(change.path)
        return self._moved.get(change.digest, []) if row is None else [row]
