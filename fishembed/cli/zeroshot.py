"""fishembed zeroshot."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.default_dirs import reports_dir
from fishembed.cli.console import Console, command_line
from fishembed.cli.places import chosen_store
from fishembed.cli.told import tell_run


def zeroshot(
    store: Annotated[
        Path | None,
        typer.Argument(help="The store.", show_default="the newest in ./cache"),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            help="Which of the store's prompt sets.", show_default="single, else the first"
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Rows to score: train, val, test or all.",
            show_default="test where there is one, else all",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the bootstrap intervals.")] = 0,
    run: Annotated[
        str | None, typer.Option(help="Name of the run.", show_default="<store>-zeroshot")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Score pictures by cosine against the class names in words: no training, no encoder.

    Example: **fishembed zeroshot --split train**
    """
    with Console(as_json=as_json) as console:
        place = chosen_store(store, console)
        from fishembed.reports import run_zeroshot

        done = run_zeroshot(
            place,
            prompts=prompts,
            split=split,
            seed=seed,
            run=run,
            reports=reports_dir(),
            command=command_line(),
        )
        tell_run(console, done)
