"""Apply a table of drops and relabels that a person has reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.csv_files import CsvTable
from fishembed.cache import CellEdit, edit_store
from fishembed.cache.history import Edit
from fishembed.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

ACTIONS = ("drop", "relabel")
_NOTHING = ("", "keep")


def fix_store(store: str | Path | UPath, fixes: str | Path, *, command: str = "") -> Edit:
    """Drop and relabel images as a table says; all of it, or nothing.

    Parameters
    ----------
    store
        The store.
    fixes
        CSV with the columns path, action and, to relabel, new_label; see `read_fixes`.
    command
        The command line that repeats it, for the store's history.

    Returns
    -------
    Edit
        The changes; without any, nothing was written.

    Raises
    ------
    InputError
        When the table, a path or a label makes no sense; nothing is changed.
    StoreLockedError, StoreIntegrityError, StoreWriteError
        As `edit_store`.
    """
    return edit_store(store, read_fixes(fixes), verb="fix", command=command)


def read_fixes(path: str | Path) -> list[CellEdit]:
    """Read a reviewed table, such as an audit's.

    Parameters
    ----------
    path
        CSV (comma, semicolon or tab, UTF-8). The action of a row is drop or relabel; rows
        whose action is empty or "keep" are left alone. Other columns are too.

    Raises
    ------
    InputError
        When the file or a row cannot be used; names the row.
    """
    path = Path(path)
    wanted: list[CellEdit] = []
    for line, row in _table(path):
        action = row["action"].strip().lower()
        if action in _NOTHING:
            continue
        where = f"{str(path)!r}, line {line}"
        if not row["path"]:
            raise InputError(f"{where}: the path is empty")
        if action == "drop":
            wanted.append((row["path"], "dropped", ""))
        elif action == "relabel":
            label = row.get("new_label", "").strip()
            if not label:
                raise InputError(f"{where}: to relabel, write the class into 'new_label'")
            wanted.append((row["path"], "label", label))
        else:
            raise InputError(
                f"{where}: the action {action!r} is unknown; write {' or '.join(ACTIONS)}, or "
                "leave it empty"
            )
    if not wanted:
        raise InputError(
            f"{str(path)!r} asks for nothing: write drop or relabel into the column 'action' of "
            "the rows you have looked at"
        )
    return wanted


def _table(path: Path) -> CsvTable:
    # File names that are no valid Unicode come back as the store has them.
    table = CsvTable(path, keep_invalid=True)
    missing = [name for name in ("path", "action") if name not in table.columns]
    if missing:
        raise InputError(
            f"{str(path)!r} has no column {missing[0]!r}; its columns are "
            f"{', '.join(map(repr, table.columns)) or 'none'}"
        )
    return table
