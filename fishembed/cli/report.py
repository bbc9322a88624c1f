"""The verb `report`: draw a run as a page and figures."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import (
    ByOption,
    FetchOption,
    JsonOption,
    PhotosOption,
    PoolOption,
    TaxonomyOption,
)
from fishembed.cli.resolve_paths import resolve_run
from fishembed.cli.run_summary import print_field, print_scores


def report(
    run: Annotated[
        Path | None,
        typer.Argument(
            help="Run: its folder, or its name in ./reports.",
            show_default="newest in ./reports",
            autocompletion=run_names,
        ),
    ] = None,
    photos: PhotosOption = None,
    fetch: FetchOption = False,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="What to write: html, md, tex, png, svg or pdf; repeat for several.",
            show_default="html png svg",
        ),
    ] = None,
    by: ByOption = None,
    pool: PoolOption = None,
    taxonomy: TaxonomyOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a run's page and figures into its folder.

    Examples
    --------
    fishembed report
    fishembed report fish-auto
    fishembed report fish-auto --format md --format pdf
    """
    with Console(as_json=as_json, working="drawing", interrupted=NOTHING_WRITTEN) as console:
        folder = resolve_run(run, console)
        from fishembed.experiments import Run
        from fishembed.experiments.field_questions import (
            answer_field_questions,
            field_answers,
        )
        from fishembed.reports import write_report

        opened = Run.open(folder)
        if by or pool or taxonomy:
            answer_field_questions(opened, by=by, pool=pool, taxonomy=taxonomy)
        wanted = formats or ("html", "png", "svg")
        page = write_report(opened, photos=photos, formats=wanted, fetch=fetch, progress=console)
        print_scores(console, opened)
        found = field_answers(opened)
        print_field(console, found)
        console.message(f"wrote {page}")
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
        console.document({"run": str(folder), "page": str(page), "files": files, **found})
