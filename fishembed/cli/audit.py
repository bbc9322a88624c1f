"""The verb `audit`: check a store's data."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import reports_dir
from fishembed.cli.completion import run_names
from fishembed.cli.console import NOTHING_WRITTEN, Console, command_line
from fishembed.cli.options import (
    FetchOption,
    JsonOption,
    PhotosOption,
    StoreArgument,
    ThresholdOption,
)
from fishembed.cli.resolve_paths import find_run, resolve_store


def audit(
    store: StoreArgument = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Also score this run without the test images that leak: its folder, or its name "
            "in ./reports.",
            autocompletion=run_names,
        ),
    ] = None,
    threshold: ThresholdOption = None,
    photos: PhotosOption = None,
    fetch: FetchOption = False,
    no_photos: Annotated[
        bool,
        typer.Option(
            "--no-photos", help="Do not read the images to look for blank, tiny or grey ones."
        ),
    ] = False,
    seed: Annotated[
        int, typer.Option(help="Seed of the cross-validation folds and of random samples.")
    ] = 0,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the new folder in ./reports.", show_default="<store>-audit"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Check a store for duplicates, leaks between splits, wrong labels, outliers and imbalance.

    Writes a page, and tables that 'fishembed fix' applies after you have reviewed them.

    Examples
    --------
    fishembed audit
    fishembed audit fish --run fish-auto
    fishembed audit fish --no-photos
    """
    with Console(as_json=as_json, working="checking", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.audit import audit_store, findings, summary, write_audit
        from fishembed.cache import FeatureStore

        with FeatureStore.open(place) as opened:
            done = audit_store(
                opened,
                threshold=threshold,
                run=None if run is None else find_run(run),
                photos=photos,
                read_photos=not no_photos,
                fetch=fetch,
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
                fetch=fetch,
                command=command_line(),
            )
        console.message(f"wrote {folder}")
        console.document({"audit": str(folder), **summary(done)})
