"""The verb `compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import FetchOption, JsonOption, PhotosOption
from fishembed.cli.resolve_paths import find_run


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more runs: folders, or names in ./reports. The name of a series that "
            "'fit --seeds' made stands for all its seeds.",
            autocompletion=run_names,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="File to write: a page, or what its ending says, such as table.tex.",
            show_default="compare-<runs>.html beside the first run",
        ),
    ] = None,
    formats: Annotated[
        list[str] | None,
        typer.Option(
            "--format",
            help="What to write: html, tex, csv, md or json (a table), pdf, png or svg (a figure); "
            "repeat for several.",
            show_default="html, or what --output ends in",
        ),
    ] = None,
    photos: PhotosOption = None,
    fetch: FetchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs on the images that all were scored on: best first, and what may be chance.

    Examples
    --------
    fishembed compare fish-linear fish-auto
    fishembed compare fish-linear fish-auto -o table.tex
    """
    with Console(as_json=as_json, working="comparing", interrupted=NOTHING_WRITTEN) as console:
        from fishembed.experiments import compare_runs
        from fishembed.experiments.runs.find_runs import runs_of_series, stale_warning
        from fishembed.reports import write_comparison
        from fishembed.reports.comparison.comparison_sentences import headline
        from fishembed.reports.comparison.comparison_tables import (
            comparison_document,
            pairs_table,
            scores_table,
        )
        from fishembed.reports.comparison.write_comparison import comparison_files

        named = [runs_of_series(run, reports_dir()) or [find_run(run)] for run in runs]
        compared = compare_runs([folder for one in named for folder in one])
        files = comparison_files(compared, output, formats or ())
        for run in compared.runs:
            if warning := stale_warning(run):
                console.message(warning)
        for note in compared.notes:
            console.message(note)
        console.table(*scores_table(compared), answer=True)
        console.answer(f"\n{headline(compared)}")
        console.table(*pairs_table(compared), answer=True)
        write_comparison(compared, output=output, formats=formats or (), photos=photos, fetch=fetch)
        for place in files.values():
            console.message(f"wrote {place}")
        console.document(
            {
                "page": str(files.get("html", "")),
                "files": [str(place) for place in files.values()],
                "runs": [str(run.folder) for run in compared.runs],
                **comparison_document(compared),
            }
        )
