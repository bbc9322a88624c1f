"""fishembed audit."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.default_dirs import reports_dir
from fishembed.cli.console import Console, command_line
from fishembed.cli.places import chosen_store, found_run


def audit(
    store: Annotated[
        Path | None, typer.Argument(help="The store.", show_default="the newest in ./cache")
    ] = None,
    run: Annotated[
        Path | None,
        typer.Option(help="A run whose score is also told without the images that leak."),
    ] = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Cosine from which two pictures are near-duplicates.",
            show_default="chosen from the data",
        ),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(help="Where the photos lie.", show_default="where they were"),
    ] = None,
    no_photos: Annotated[
        bool, typer.Option("--no-photos", help="Do not read the photos to find odd ones.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of the folds and of samples.")] = 0,
    name: Annotated[
        str | None, typer.Option(help="Name of the folder.", show_default="<store>-audit")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Find what is wrong with the data: duplicates, leaks, wrong labels, outliers, imbalance.

    Example: **fishembed audit cache/fish.h5 --run fish-logistic**
    """
    with Console(as_json=as_json) as console:
        place = chosen_store(store, console)
        from fishembed.audit import audit_store, findings, summary, write_audit
        from fishembed.cache import FeatureStore

        with FeatureStore.open(place) as opened:
            done = audit_store(
                opened,
                threshold=threshold,
                run=None if run is None else found_run(run),
                photos=photos,
                read_photos=not no_photos,
                seed=seed,
                progress=console,
            )
            for line in findings(done):
                console.message(line)
            folder = write_audit(
                done,
                opened,
                name=name,
                reports=reports_dir(),
                photos=photos,
                command=command_line(),
            )
        console.message(f"wrote {folder}")
        console.document({"audit": str(folder), **summary(done)})
