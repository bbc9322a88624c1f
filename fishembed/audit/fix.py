"""Apply a table of drops and relabels that a person has reviewed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.csv_files import CsvTable
from fishembed._base.missing import text_or_missing
from fishembed.cache import CellEdit, edit_store, open_store
from fishembed.cache.history import Edit
from fishembed.errors import InputError
from fishembed.images.path_spelling import spellings

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
    wanted = read_fixes(fixes)
    with open_store(store) as opened:
        known = set(opened.paths)
    spelt = [(_spelling_in(known, path), column, value) for path, column, value in wanted]
    return edit_store(store, spelt, verb="fix", command=command)


def _spelling_in(known: set[str], path: str) -> str:
    """Return a path as the store spells it: a spreadsheet may have changed letters and slashes."""
    return next((one for one in spellings(path) if one in known), path)


def read_fixes(path: str | Path) -> list[CellEdit]:
    """Read a reviewed table, such as an audit's.

    Parameters
    ----------
    path
        CSV in any dialect, see `CsvTable`. The action of a row is drop or relabel; rows
        whose action is empty or "keep" are left alone. Other columns are too.

    Raises
    ------
    InputError
        When the file or a row cannot be used; names the row.
    """
    path = Path(path)
    wanted: list[CellEdit] = []
    for line, row in _table(path):
        action = text_or_missing(row["action"]).lower()
        if action in _NOTHING:
            continue
        where = f"{str(path)!r}, line {line}"
        if not row["path"]:
            raise InputError(f"{where}: the path is empty")
        if action == "drop":
            wanted.append((row["path"], "dropped", ""))
        elif action == "relabel":
            label = text_or_missing(row.get("new_label"))
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
    table = CsvTable(path)
    missing = [name for name in ("path", "action") if name not in table.columns]
    if missing:
        raise InputError(
            f"{str(path)!r} has no column {missing[0]!r}; its columns are "
            f"{', '.join(map(repr, table.columns)) or 'none'}"
        )
    return table
