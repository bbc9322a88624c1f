"""What people changed in a store since its pictures were encoded, so that it can be taken back."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

EDITABLE = ("label", "split", "group")
HISTORY = "history"
DROPPED = "dropped"
_CHANGES = ("path", "digest", "column", "was", "now")
_DROPPED_TEXTS = ("path", "digest", "label", "split", "group")
_DROPPED_ARRAYS = ("size", "mtime_ns", "image", "trunk")


@dataclass(frozen=True)
class Change:
    """One cell that is something else now.

    Attributes
    ----------
    path, digest
        The picture, as the store names it.
    column
        label, split or group; or dropped.
    was, now
        Text, labels by name. Of a dropped picture `was` is the number its row had.
    """

    path: str
    digest: str
    column: str
    was: str
    now: str


@dataclass(frozen=True)
class Edit:
    """Changes that were made, and are taken back, together.

    Attributes
    ----------
    verb
        What made them: split or fix.
    when
        Time, ISO 8601, UTC.
    command
        What repeats it.
    changes
        At least one.
    """

    verb: str
    when: str
    command: str
    changes: tuple[Change, ...]

    def count(self, column: str) -> int:
        """Give the number of changes in a column."""
        return sum(1 for change in self.changes if change.column == column)

    def summary(self) -> str:
        """Say what the edit did: "2 labels, 1 picture dropped"."""
        nouns = {"label": "label", "split": "split", "group": "group"}
        counts = {column: self.count(column) for column in (*EDITABLE, "dropped")}
        said = [f"{counts[c]:,} {noun}{'s' * (counts[c] > 1)}" for c, noun in nouns.items()]
        dropped = counts["dropped"]
        said.append(f"{dropped:,} picture{'s' * (dropped > 1)} dropped")
        return ", ".join(text for text in said if not text.startswith("0 "))


@dataclass(frozen=True)
class Dropped:
    """Rows that were taken out of a store and can be put back.

    Attributes
    ----------
    path, digest, label, split, group
        Text; labels by name, "" for none.
    size, mtime_ns
        int64 (n,).
    image
        (n, dim) vectors, in the store's type.
    trunk
        (n, width), or None where the store has none or they are the image vectors.
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

    def __len__(self) -> int:
        return len(self.path)


def history_texts(edits: Sequence[Edit]) -> dict[str, list[str]]:
    """Give the datasets of a history by name, all of them text."""
    found: dict[str, list[str]] = {}
    for number, edit in enumerate(edits):
        place = f"{HISTORY}/{number:04d}"
        about = {"verb": edit.verb, "when": edit.when, "command": edit.command}
        found[f"{place}/about"] = [json.dumps(about)]
        for name in _CHANGES:
            found[f"{place}/{name}"] = [getattr(change, name) for change in edit.changes]
    return found


def read_history(file: Mapping[str, Any], texts: Callable[[str], list[str]]) -> tuple[Edit, ...]:
    """Read what `history_texts` laid out; `texts` gives a dataset as text."""
    edits = []
    for number in sorted(file[HISTORY]) if HISTORY in file else ():
        place = f"{HISTORY}/{number}"
        about = json.loads(texts(f"{place}/about")[0])
        columns = [texts(f"{place}/{name}") for name in _CHANGES]
        changes = tuple(Change(*cells) for cells in zip(*columns, strict=True))
        edits.append(Edit(about["verb"], about["when"], about["command"], changes))
    return tuple(edits)


def dropped_columns(
    dropped: Dropped,
) -> tuple[dict[str, Sequence[str]], dict[str, npt.NDArray[Any]]]:
    """Give the datasets of dropped rows by name: those of text, and the others."""
    texts = {f"{DROPPED}/{name}": getattr(dropped, name) for name in _DROPPED_TEXTS}
    arrays = {f"{DROPPED}/{name}": getattr(dropped, name) for name in _DROPPED_ARRAYS}
    return texts, {name: array for name, array in arrays.items() if array is not None}


def read_dropped(
    file: Mapping[str, Any],
    texts: Callable[[str], list[str]],
    arrays: Callable[[str], npt.NDArray[Any]],
) -> Dropped | None:
    """Read the dropped rows of a store; None where it has none."""
    if DROPPED not in file:
        return None
    named = {name: texts(f"{DROPPED}/{name}") for name in _DROPPED_TEXTS}
    numeric = {
        name: arrays(f"{DROPPED}/{name}") for name in _DROPPED_ARRAYS if name in file[DROPPED]
    }
    return Dropped(**named, **numeric)  # type: ignore[arg-type]
