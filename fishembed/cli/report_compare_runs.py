"""The verbs `report`, `compare` and `runs`: pages, comparisons and a list of runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import printable
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import (
    FetchOption,
    FieldOptions,
    JsonOption,
    PhotosOption,
    RunArgument,
    option,
    run_names,
)
from fishembed.cli.program.resolve_paths import find_run, resolve_run
from fishembed.cli.program.summaries import print_field, print_scores, print_stale

if TYPE_CHECKING:
    from fishembed.experiments import Run
    from fishembed.experiments.runs.find_runs import RunLine


def report(
    run: RunArgument = None,
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
    *,
    field: FieldOptions,
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
        from fishembed.experiments.field_questions import answer_field_questions, field_answers
        from fishembed.reports import write_report

        opened = Run.open(folder)
        if field.asked:
            answer_field_questions(opened, **vars(field))
        wanted = formats or ("html", "png", "svg")
        page = write_report(opened, photos=photos, formats=wanted, fetch=fetch, progress=console)
        print_scores(console, opened)
        found = field_answers(opened)
        print_field(console, found)
        console.message(f"wrote {page}")
        files = sorted(path.name for path in folder.iterdir() if path.is_file())
        console.document({"run": str(folder), "page": str(page), "files": files, **found})


@dataclass(frozen=True)
class ComparisonOptions:
    """Options of the table and page of a comparison."""

    output: Path | None = option(
        None,
        "File to write: a page, or what its ending says, such as table.tex.",
        "--output",
        "-o",
        shown="compare-<runs>.html beside the first run",
    )
    formats: list[str] | None = option(
        None,
        "What to write: html, tex, csv, md or json (a table), pdf, png or svg (a figure); "
        "repeat for several.",
        "--format",
        shown="html, or what --output ends in",
    )
    photos: PhotosOption = None
    fetch: FetchOption = False


RunsArgument = Annotated[
    list[Path],
    typer.Argument(
        help="Two or more runs: folders, or names in ./reports. The name of a series that "
        "'fit --seeds' made stands for all its seeds.",
        autocompletion=run_names,
    ),
]


def compare(
    runs: RunsArgument,
    *,
    options: ComparisonOptions,
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
        from fishembed.experiments.runs.find_runs import runs_of_series
        from fishembed.reports import write_comparison
        from fishembed.reports.comparison.comparison_texts import (
            comparison_document,
            headline,
            pairs_table,
            scores_table,
        )
        from fishembed.reports.comparison.write_comparison import comparison_files

        named = [runs_of_series(run, reports_dir()) or [find_run(run)] for run in runs]
        compared = compare_runs([folder for one in named for folder in one])
        given: dict[str, Any] = {**vars(options), "formats": options.formats or ()}
        files = comparison_files(compared, options.output, given["formats"])
        for run in compared.runs:
            print_stale(console, run)
        for note in compared.notes:
            console.message(note)
        console.table(*scores_table(compared), answer=True)
        console.answer(f"\n{headline(compared)}")
        console.table(*pairs_table(compared), answer=True)
        write_comparison(compared, **given)
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
        readable = [(line.run, line) for line in lines if line.run is not None]
        unreadable = [line for line in lines if line.run is None]
        for line in unreadable:
            console.answer(f"{line.folder.name}: {line.problem}")
        if readable:
            head = ["run", "accuracy %", "macro recall %", "images", "scored", "made", "store"]
            table = [_cells(run, line) for run, line in readable]
            console.table(head, table, spare=["scored", "images", "made", "store"], answer=True)
        elif not deleted:
            console.answer(f"no runs in {reports_dir()}")
        console.document(
            {
                "runs": [_run_document(run, line) for run, line in readable],
                "unreadable": [
                    {"run": str(line.folder), "problem": line.problem} for line in unreadable
                ],
                "deleted": deleted,
            }
        )


def _cells(run: Run, line: RunLine) -> list[str]:
    """Return a run's row of the table."""
    shares = (line.number("accuracy"), line.number("macro_recall"))
    return [
        printable(run.name),
        *("" if share < 0 else f"{100 * share:.1f}" for share in shares),
        f"{run.metrics.get('n', 0):,}",
        str(run.metrics.get("scored_split", "")),
        str(run.info.get("created", ""))[:16].replace("T", " "),
        line.state if line.state == "made before the last fix" else f"store {line.state}",
    ]


def _run_document(run: Run, line: RunLine) -> dict[str, Any]:
    return {
        "run": str(run.folder),
        "name": run.name,
        **{name: run.metrics.get(name) for name in ("accuracy", "macro_recall", "n")},
        "created": run.info.get("created"),
        "store": run.info["store"]["path"],
        "store_state": line.state,
    }
