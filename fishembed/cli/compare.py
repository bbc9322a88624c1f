"""fishembed compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.console import Console, aligned
from fishembed.cli.places import found_run


def compare(
    runs: Annotated[
        list[Path], typer.Argument(help="Two runs or more; the first is compared with the others.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(help="The page.", show_default="compare-….html beside the first run"),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(help="Where the photos lie.", show_default="where they were"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Compare runs on the same images: paired intervals, McNemar's test, what changed.

    Example: **fishembed compare demo-linear demo-auto**
    """
    with Console(as_json=as_json) as console:
        from fishembed.reports import compare_runs, write_comparison

        folders = [found_run(run) for run in runs]
        compared = compare_runs(folders)
        for line in aligned(*compared.table()):
            console.message(line)
        page = write_comparison(folders, output=output, photos=photos)
        console.message(f"wrote {page}")
        console.document(
            {
                "page": str(page),
                "runs": [str(run.folder) for run in compared.runs],
                "differences": [
                    {"accuracy": d.accuracy, "accuracy_ci95": list(d.accuracy_ci95), "p": d.p_value}
                    for d in compared.differences
                ],
            }
        )
