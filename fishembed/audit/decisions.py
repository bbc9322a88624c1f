"""Read tables of decisions, such as an audit's or a page's, and merge those of several people."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import text_or_missing
from fishembed._base.progress import NoProgress, Progress
from fishembed.cache import CellEdit
from fishembed.cache.edit_history import Remark
from fishembed.errors import DataError

ACTIONS = ("drop", "relabel", "new")
_NOTHING = ("", "keep", "unsure")

SPLIT_OF = {"typical": "train", "uncertain": "train", "random": "test"}
"""Where an image goes by why it was chosen: no score may rest on those chosen for being hard."""


class Decision(NamedTuple):
    """What a person decided on one image."""

    path: str
    action: str
    label: str
    remark: Remark
    where: str  # Table and line, for messages

    def edits(self, *, has_train: bool = False) -> list[CellEdit]:
        """Return the cells that it changes; `has_train` where the store has a split train."""
        if self.action == "drop":
            return [(self.path, "dropped", "")]
        found: list[CellEdit] = []
        if self.action in ("relabel", "new"):
            found.append((self.path, "label", self.label))
        split = SPLIT_OF.get(self.remark.chosen, "")
        # Where no row is in train, those without a split are what is learnt from.
        if split == "test" or (split and has_train):
            found.append((self.path, "split", split))
        return found


def read_decisions(path: str | Path, progress: Progress | None = None) -> list[Decision]:
    """Read a table of decisions.

    Parameters
    ----------
    path
        CSV in any dialect, see `CsvTable`, with the columns path and action: drop, relabel or
        new (with the class in new_label, new for a class whose name is close to another's), or
        keep, unsure or nothing. The columns who, when and chosen are kept; others are ignored.
    progress
        Receives what had to be guessed of the table.

    Raises
    ------
    InputError
        When the file or a row cannot be used; names the row.
    """
    path = Path(path)
    found = []
    table = _table(path)
    for line, row in table:
        action, where = text_or_missing(row["action"]).lower(), f"{str(path)!r}, line {line}"
        chosen = text_or_missing(row.get("chosen") or row.get("why"))
        if action in _NOTHING and not (action == "keep" and chosen):
            continue
        if not row["path"]:
            raise DataError(f"{where}: the path is empty")
        if action not in (*ACTIONS, "keep"):
            raise DataError(
                f"{where}: the action {action!r} is unknown; write {', '.join(ACTIONS[:-1])} or "
                f"{ACTIONS[-1]}, or leave it empty"
            )
        label = text_or_missing(row.get("new_label"))
        if action in ("relabel", "new") and not label:
            raise DataError(f"{where}: to relabel, write the class into 'new_label'")
        remark = Remark(text_or_missing(row.get("who")), text_or_missing(row.get("when")), chosen)
        found.append(Decision(row["path"], action, label, remark, where))
    for sentence in table.remarks():
        (progress or NoProgress()).message(sentence)
    if not found:
        raise DataError(
            f"{str(path)!r} asks for nothing: write drop or relabel into the column 'action' of "
            "the rows you have looked at"
        )
    return found


def merge_decisions(tables: Sequence[Iterable[Decision]]) -> list[Decision]:
    """Merge tables; of two decisions on an image the later one holds.

    Raises
    ------
    InputError
        When two tables disagree on an image and do not both say when.
    """
    merged: dict[str, Decision] = {}
    for table in tables:
        own = list(table)
        before = dict(merged)
        for one in own:
            other = before.get(one.path)
            same = other is None or (other.action, other.label) == (one.action, one.label)
            if other is not None and not same:
                if not (one.remark.decided and other.remark.decided):
                    raise DataError(
                        f"{one.path!r} is {other.label or other.action!r} at {other.where}, but "
                        f"{one.label or one.action!r} at {one.where}: decide on one"
                    )
                if one.remark.decided < other.remark.decided:
                    continue
            merged[one.path] = one
        if len(tables) == 1:
            return own  # what contradicts itself within a table is refused by the store
    return list(merged.values())


def _table(path: Path) -> CsvTable:
    table = CsvTable(path)
    missing = [name for name in ("path", "action") if name not in table.columns]
    if missing:
        raise DataError(
            f"{str(path)!r} has no column {missing[0]!r}; its columns are "
            f"{', '.join(map(repr, table.columns)) or 'none'}"
        )
    return table
