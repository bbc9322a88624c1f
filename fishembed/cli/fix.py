"""fishembed fix."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console, command_line
from fishembed.cli.places import chosen_store
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.cache import Edit


def fix(
    store: Annotated[Path, typer.Argument(help="The store.")],
    fixes: Annotated[
        Path | None,
        typer.Argument(
            help="Reviewed CSV with the columns path, action (drop or relabel) and new_label, such "
            "as an audit's."
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take back the last fix or split instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Drop and relabel pictures as a reviewed table says; nothing is encoded again.

    Example: **fishembed fix cache/fish.h5 reports/fish-audit/label_errors.csv**
    """
    if undo == (fixes is not None):
        raise InputError("give a CSV of fixes, or --undo to take the last fix or split back")
    with Console(as_json=as_json) as console:
        place = chosen_store(store, console)
        from fishembed.audit import fix_store
        from fishembed.cache import undo_edit

        left = 0
        if fixes is None:
            undone = undo_edit(place)
            edit, left = undone.edit, len(undone.left)
            console.message(f"took back the {edit.verb} of {edit.when}: {edit.summary()}")
            if left:
                console.message(
                    f"left {counted(left, 'change')} that something later changed again"
                )
        else:
            edit = fix_store(place, fixes, command=command_line())
            console.message(edit.summary() if edit.changes else "everything is as the table says")
        wrote = bool(edit.changes)
        console.message(f"{'wrote' if wrote else 'nothing to do for'} {place}")
        console.document({"store": str(place), "undone": fixes is None, **_counts(edit, left)})


def _counts(edit: Edit, left: int) -> dict[str, object]:
    return {
        "verb": edit.verb,
        "labels": edit.count("label"),
        "splits": edit.count("split"),
        "groups": edit.count("group"),
        "dropped": edit.count("dropped"),
        "left": left,
    }
