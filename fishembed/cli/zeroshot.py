"""The verb `zeroshot`: score classification by class names."""

from __future__ import annotations

from dataclasses import dataclass

from fishembed._base.paths import reports_dir
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.lean_imports import import_sklearn
from fishembed.cli.program.options import JsonOption, LogOption, StoreArgument, option
from fishembed.cli.program.output import command_line
from fishembed.cli.program.resolve_paths import resolve_store
from fishembed.cli.program.summaries import print_logged, print_run


@dataclass(frozen=True)
class ZeroShotOptions:
    """Options of `fishembed.run_zeroshot`, by the names of its parameters."""

    prompts: str | None = option(
        None, "Prompt set of the store (see 'fishembed info').", shown="single, else the first"
    )
    split: str | None = option(
        None,
        "Split whose rows are scored: train, val, test or all.",
        shown="test if the store has one, else all",
    )
    seed: int = option(0, "Written into the run; nothing is drawn.")
    run: str | None = option(None, "Name of the new run in ./reports.", shown="<store>-zeroshot")


def zeroshot(
    store: StoreArgument = None,
    *,
    options: ZeroShotOptions,
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
        done = run_zeroshot(place, reports=reports_dir(), command=command_line(), **vars(options))
        print_run(console, done)
        print_logged(console, [done], log)
