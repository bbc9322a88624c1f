"""The verb `fix`: apply a reviewed table of corrections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console, command_line
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import resolve_store
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.cache import Edit


def fix(
    store: Annotated[Path, typer.Argument(help="Feature store: its path, or its name in ./cache.")],
    fixes: Annotated[
        Path | None,
        typer.Argument(
            help="CSV with the columns path, action (drop, relabel or empty) and new_label, "
            "such as the tables that 'fishembed audit' writes."
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo the last fix or split instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Drop and relabel images as a reviewed table says; nothing is encoded again.

    Example: **fishembed fix cache/fish.h5 reports/fish-audit/label_errors.csv**
    """
    if undo == (fixes is not None):
        raise InputError("give a CSV of fixes, or --undo to undo the last fix or split")
    with Console(as_json=as_json) as console:
        place = resolve_store(store, console)
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
