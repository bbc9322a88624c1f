"""The verb `suggest`: what to label next."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import counted
from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import (
    GroupFilter,
    JsonOption,
    LabelFilter,
    PhotosOption,
    SeedOption,
    SplitFilter,
    StoreArgument,
    WhereOption,
    where_conditions,
)
from fishembed.cli.resolve_paths import find_run, resolve_store


def suggest(
    store: StoreArgument = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Run whose head says what is uncertain: its folder, or its name.",
            show_default="a head of the labels there are",
            autocompletion=run_names,
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of images.")] = 50,
    random: Annotated[
        int | None,
        typer.Option(
            "--random",
            min=1,
            help="Draw that many images at random instead: a sample to check a classifier on, "
            "kept apart in the split test.",
        ),
    ] = None,
    per_group: Annotated[
        int, typer.Option(min=1, help="Images of one group, while there are other groups.")
    ] = 1,
    label: LabelFilter = None,
    split: SplitFilter = None,
    group: GroupFilter = None,
    where: WhereOption = None,
    seed: SeedOption = 0,
    photos: PhotosOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Name of the new folder in ./reports.",
            show_default="<store>-suggest",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose what to label next: what is unlike all labelled images, then what is uncertain.

    Examples
    --------
    fishembed suggest fish --run fish-auto
    fishembed suggest fish --random 200
    """
    with Console(as_json=as_json, working="choosing", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.cache import open_store
        from fishembed.experiments import Run
        from fishembed.experiments.runs.find_runs import stale_warning
        from fishembed.explore import suggest_store
        from fishembed.reports import write_suggestions

        head = None if run is None else Run.open(find_run(run))
        if head is not None and (warning := stale_warning(head)):
            console.message(warning)
        with open_store(place) as opened:
            found = suggest_store(
                opened,
                run=head,
                top=top,
                random=random,
                where=where_conditions(label, split, group, where),
                per_group=per_group,
                seed=seed,
            )
            reasons = Counter(one.why for one in found.chosen)
            console.message(
                f"{counted(len(found.chosen), 'image')} of {found.n_open:,} without a label: "
                + ", ".join(f"{n:,} {why}" for why, n in reasons.items())
            )
            folder = write_suggestions(
                found, opened, name=output, reports=reports_dir(), photos=photos
            )
        console.message(f"wrote {folder}")
        console.document(
            {
                "folder": str(folder),
                "table": str(folder / "suggestions.csv"),
                "open": found.n_open,
                "suggestions": [
                    {"path": one.path, "why": one.why, "guesses": list(one.guesses)}
                    for one in found.chosen
                ],
            }
        )
