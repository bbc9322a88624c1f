"""The verb `zeroshot`: score classification by class names."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import JsonOption, LogOption, StoreArgument
from fishembed.cli.program.output import command_line
from fishembed.cli.program.resolve_paths import resolve_store
from fishembed.cli.program.summaries import print_logged, print_run


def zeroshot(
    store: StoreArgument = None,
    prompts: Annotated[
        str | None,
        typer.Option(
            help="Prompt set of the store (see 'fishembed info').",
            show_default="single, else the first",
        ),
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            help="Split whose rows are scored: train, val, test or all.",
            show_default="test if the store has one, else all",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Written into the run; nothing is drawn.")] = 0,
    run: Annotated[
        str | None,
        typer.Option(help="Name of the new run in ./reports.", show_default="<store>-zeroshot"),
    ] = None,
    log: LogOption = None,
    as_json: JsonOption = False,
) -> None:
    """Classify by cosine similarity to the class names' text features, and score: no training.

    Examples
    --------
    fishembed zeroshot
    fishembed zeroshot fish --prompts ensemble
    fishembed zeroshot fish --split train
    """
    with Console(as_json=as_json, working="scoring", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        import_sklearn()
        from fishembed.experiments import run_zeroshot
        from fishembed.experiments.runs.tracking import require_tracker

        require_tracker(log)

        done = run_zeroshot(
            place,
            prompts=prompts,
            split=split,
            seed=seed,
            run=run,
            reports=reports_dir(),
            command=command_line(),
        )
        print_run(console, done)
        print_logged(console, [done], log)
