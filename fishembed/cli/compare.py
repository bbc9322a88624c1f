"""The verb `compare`: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed.cli.console import Console, aligned
from fishembed.cli.options import FetchOption, JsonOption, PhotosOption
from fishembed.cli.resolve_paths import find_run


def compare(
    runs: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more runs on the same images: folders, or names in ./reports. The first "
            "is the baseline that each other run is compared with."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            help="HTML file to write.", show_default="compare-<runs>.html beside the first run"
        ),
    ] = None,
    photos: PhotosOption = None,
    fetch: FetchOption = False,
    as_json: JsonOption = False,
) -> None:
    """Compare runs with a baseline on the same images: differences, intervals, McNemar's test.

    Example: **fishembed compare demo-linear demo-auto**
    """
    with Console(as_json=as_json) as console:
        from fishembed.experiments import compare_runs
        from fishembed.experiments.runs.run_list import stale_warning
        from fishembed.reports import write_comparison
        from fishembed.reports.text_tables import comparison_table

        compared = compare_runs([find_run(run) for run in runs])
        for run in compared.runs:
            if warning := stale_warning(run):
                console.message(warning)
        for line in aligned(*comparison_table(compared)):
            console.message(line)
        page = write_comparison(compared, output=output, photos=photos, fetch=fetch)
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
