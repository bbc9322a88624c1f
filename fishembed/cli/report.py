"""fishembed report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.console import Console
from fishembed.cli.places import chosen_run
from fishembed.cli.told import tell_scores


def report(
    run: Annotated[
        Path | None,
        typer.Argument(help="The run.", show_default="the newest in ./reports"),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(
            help="Where the photos lie, for the galleries.", show_default="where they were"
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="html, md, tex, png, svg or pdf; may be given again.",
            show_default="html png svg",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a run's page and figures.

    Example: **fishembed report reports/fish-linear**
    """
    with Console(as_json=as_json) as console:
        folder = chosen_run(run, console)
        from fishembed.reports import Run, write_report

        wanted = formats or ("html", "png", "svg")
        page = write_report(folder, photos=photos, formats=wanted, say=console.message)
        tell_scores(console, Run.open(folder))
        console.message(f"wrote {page}")
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
        console.document({"run": str(folder), "page": str(page), "files": files})
