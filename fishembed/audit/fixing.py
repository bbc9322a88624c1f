"""The verb: apply a table that a person has reviewed."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed.cache import Wanted, edit_store
from fishembed.cache.history import Edit
from fishembed.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

ACTIONS = ("drop", "relabel")
_NOTHING = ("", "keep")


def fix_store(store: str | Path | UPath, fixes: str | Path, *, command: str = "") -> Edit:
    """Drop and relabel pictures as a table says; all of it, or nothing.

    Parameters
    ----------
    store
        The store.
    fixes
        CSV with the columns path, action and, to relabel, new_label; see `read_fixes`.
    command
        What repeats it, for the record.

    Returns
    -------
    Edit
        What was changed; where that is nothing, nothing was written.

    Raises
    ------
    InputError
        When the table, a path or a label makes no sense; nothing is changed.
    StoreLockedError, StoreIntegrityError, StoreWriteError
        As `edit_store`.
    """
    return edit_store(store, read_fixes(fixes), verb="fix", command=command)


def read_fixes(path: str | Path) -> list[Wanted]:
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
    reader = _reader(path)
    wanted: list[Wanted] = []
    try:
        for row in reader:
            action = (row["action"] or "").strip().lower()
            if action in _NOTHING:
                continue
            where = f"{str(path)!r}, line {reader.line_num}"
            if not row["path"]:
                raise InputError(f"{where}: the path is empty")
            if action == "drop":
                wanted.append((row["path"], "dropped", ""))
            elif action == "relabel":
                label = (row.get("new_label") or "").strip()
                if not label:
                    raise InputError(f"{where}: to relabel, write the class into 'new_label'")
                wanted.append((row["path"], "label", label))
            else:
                raise InputError(
                    f"{where}: the action {action!r} is unknown; write {' or '.join(ACTIONS)}, or "
                    "leave it empty"
                )
    except csv.Error as error:
        raise InputError(f"{str(path)!r}, line {reader.line_num}: {error}") from error
    if not wanted:
        raise InputError(
            f"{str(path)!r} asks for nothing: write drop or relabel into the column 'action' of "
            "the rows you have looked at"
        )
    return wanted


def _reader(path: Path) -> csv.DictReader[str]:
    try:
        # File names that are no valid Unicode come back as the store has them.
        text = path.read_bytes().decode("utf-8-sig", "surrogateescape")
    except OSError as error:
        raise InputError(f"cannot read {str(path)!r}: {error.strerror or error}") from error
    first = text.split("\n", 1)[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter, restval="")
    columns = [name.strip() for name in reader.fieldnames or []]
    reader.fieldnames = columns
    missing = [name for name in ("path", "action") if name not in columns]
    if missing:
        raise InputError(
            f"{str(path)!r} has no column {missing[0]!r}; its columns are "
            f"{', '.join(map(repr, columns)) or 'none'}"
        )
    return reader
