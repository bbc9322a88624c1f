"""The verb `run`: the usual job in one command."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer

from fishembed._base.paths import data_dir, reports_dir
from fishembed.cli.program.console import Console
from fishembed.cli.program.exit_codes import DATA
from fishembed.cli.program.options import DeviceOption, JsonOption, option
from fishembed.cli.program.output import command_line


@dataclass(frozen=True)
class JobOptions:
    """Options of the usual job."""

    encoder: str | None = option(
        None,
        "Encoder, as 'fishembed extract' takes it.",
        "--encoder",
        "-e",
        shown="the default one where its weights are at hand, else embedded",
    )
    open_page: bool = option(False, "Show the page in a browser at the end.", "--open")
    device: DeviceOption = "auto"
    seed: int = option(0, "Seed of all that is drawn at random.")


def run(
    photos: Annotated[
        list[str] | None,
        typer.Argument(help="Dataset, as 'fishembed extract' takes it.", show_default="./data"),
    ] = None,
    *,
    options: JobOptions,
    as_json: JsonOption = False,
) -> None:
    """Do the usual job: extract, audit, zero-shot, linear, the chosen head, compare, report.

    Examples
    --------
    fishembed run photos
    fishembed run photos --open
    fishembed run photos --encoder embedded
    """
    with Console(
        as_json=as_json, interrupted="what is finished is kept; the same command goes on"
    ) as console:
        from fishembed.workflow import run_usual_job

        named = photos or [data_dir()]
        done = run_usual_job(
            named if len(named) > 1 else named[0],
            encoder=options.encoder,
            device=options.device,
            seed=options.seed,
            reports=reports_dir(),
            command=command_line(),
            progress=console,
        )
        console.message("")
        for sentence in done.sentences:
            console.message(sentence)
        if options.open_page and done.page is not None:
            import webbrowser

            webbrowser.open(done.page.absolute().as_uri())
        console.document(
            {
                "store": str(done.store),
                "audit": None if done.audit is None else str(done.audit),
                "runs": [str(one.folder) for one in done.runs],
                "comparison": None if done.comparison is None else str(done.comparison),
                "page": None if done.page is None else str(done.page),
                "sentences": list(done.sentences),
                "lacks": done.lacks,
            }
        )
        if done.lacks:
            raise typer.Exit(DATA.code)
