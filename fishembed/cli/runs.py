"""The verb `runs`: list and delete runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import printable
from fishembed.cli.completion import run_names
from fishembed.cli.console import Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import find_run


def runs(
    sort: Annotated[
        Literal["macro_recall", "accuracy", "created", "name"],
        typer.Option(help="Order: best first, newest first, or by name."),
    ] = "macro_recall",
    delete: Annotated[
        list[Path] | None,
        typer.Option(
            help="Delete this run, its folder or its name; repeat for several.",
            autocompletion=run_names,
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the runs in ./reports, best first, and whether their stores have changed since.

    Examples
    --------
    fishembed runs
    fishembed runs --sort created
    fishembed runs --delete fish-linear
    """
    with Console(as_json=as_json) as console:
        from fishembed.experiments.runs.find_runs import delete_run, list_runs

        deleted = [str(delete_run(find_run(one, by_file=False))) for one in delete or ()]
        for folder in deleted:
            console.message(f"deleted {folder}")
        lines = list_runs(reports_dir(), sort=sort)
        table, documents, unreadable = [], [], []
        for line in lines:
            run = line.run
            if run is None:
                console.answer(f"{line.folder.name}: {line.problem}")
                unreadable.append({"run": str(line.folder), "problem": line.problem})
                continue
            table.append(
                [
                    printable(run.name),
                    _percent(line.number("accuracy")),
                    _percent(line.number("macro_recall")),
                    f"{run.metrics.get('n', 0):,}",
                    str(run.metrics.get("scored_split", "")),
                    str(run.info.get("created", ""))[:16].replace("T", " "),
                    f"store {line.state}"
                    if line.state != "made before the last fix"
                    else line.state,
                ]
            )
            documents.append(
                {
                    "run": str(run.folder),
                    "name": run.name,
                    "accuracy": run.metrics.get("accuracy"),
                    "macro_recall": run.metrics.get("macro_recall"),
                    "n": run.metrics.get("n"),
                    "created": run.info.get("created"),
                    "store": run.info["store"]["path"],
                    "store_state": line.state,
                }
            )
        if table:
            head = ["run", "accuracy %", "macro recall %", "images", "scored", "made", "store"]
            console.table(head, table, spare=["scored", "images", "made", "store"], answer=True)
        elif not deleted:
            console.answer(f"no runs in {reports_dir()}")
        console.document({"runs": documents, "unreadable": unreadable, "deleted": deleted})


def _percent(share: float) -> str:
    return "" if share < 0 else f"{100 * share:.1f}"
