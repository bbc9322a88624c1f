"""The verb `fix`: apply a reviewed table of corrections."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fishembed._base.text import counted, listed
from fishembed.cli.completion import store_names
from fishembed.cli.console import NOTHING_WRITTEN, Console, command_line
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import resolve_store
from fishembed.errors import InputError

if TYPE_CHECKING:
    from fishembed.cache import Edit


def fix(
    store: Annotated[
        Path,
        typer.Argument(
            help="Feature store: its path, or its name in ./cache.", autocompletion=store_names
        ),
    ],
    fixes: Annotated[
        list[Path] | None,
        typer.Argument(
            help="CSV with the columns path, action (drop, relabel, new or empty) and new_label: "
            "a table that 'fishembed audit' writes, or the decisions that a page saves. Several "
            "are merged."
        ),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo the last fix or split instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Drop, label and relabel images as tables of decisions say; nothing is encoded again.

    A table can be applied again after further marks: what is done is skipped.

    Examples
    --------
    fishembed fix fish reports/fish-audit/label_errors.csv
    fishembed fix fish decisions.csv more.csv
    fishembed fix fish --undo
    """
    if undo == bool(fixes):
        raise InputError("give a CSV of fixes, or --undo to undo the last fix or split")
    with Console(as_json=as_json, working="fixing", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.audit import fix_store
        from fishembed.cache import open_store, undo_edit

        left = 0
        if not fixes:
            undone = undo_edit(place)
            edit, left = undone.edit, len(undone.left)
            console.message(f"took back the {edit.verb} of {edit.when}: {edit.summary()}")
            if left:
                console.message(
                    f"left {counted(left, 'change')} that something later changed again"
                )
        else:
            with open_store(place) as opened:
                before = set(opened.classes)
            edit = fix_store(place, fixes, command=command_line(), progress=console)
            new = sorted({c.now for c in edit.changes if c.column == "label"} - before - {""})
            if new:
                console.message(f"{counted(len(new), 'new class', 'new classes')}: {listed(new)}")
            console.message(edit.summary() if edit.changes else "everything is as the table says")
        wrote = bool(edit.changes)
        console.message(f"{'wrote' if wrote else 'nothing to do for'} {place}")
        console.document({"store": str(place), "undone": not fixes, **_counts(edit, left)})


def _counts(edit: Edit, left: int) -> dict[str, object]:
    return {
        "verb": edit.verb,
        "labels": edit.count("label"),
        "splits": edit.count("split"),
        "groups": edit.count("group"),
        "dropped": edit.count("dropped"),
        "left": left,
    }
