"""The verb `export`: write a store's features for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.text import counted
from fishembed.cli.completion import store_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import resolve_run, resolve_store
from fishembed.errors import InputError


def export(
    places: Annotated[
        list[Path],
        typer.Argument(
            help="The feature store (its path, or its name in ./cache; the newest when left out), "
            "and the target. NAME.npz: one file of arrays; NAME.parquet: one file for viewers "
            "such as embedding-atlas; else a new folder of .npy and Parquet files as "
            "clip-retrieval and embedding-reader expect them. With --format manifest, a CSV.",
            metavar="[STORE] TARGET",
            autocompletion=store_names,
        ),
    ],
    store: Annotated[
        Path | None,
        typer.Option(
            help="The feature store, where it is not named before the target.",
            show_default="newest in ./cache",
            autocompletion=store_names,
        ),
    ] = None,
    prompts: Annotated[
        str | None,
        typer.Option(help="Prompt set whose text features are exported too.", show_default="none"),
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="Scale each embedding to length 1.")
    ] = False,
    kind: Annotated[
        Literal["features", "manifest", "camtrap-dp"],
        typer.Option(
            "--format",
            help="manifest: a CSV of path, label, split, group and metadata, as they are after "
            "all fixes. camtrap-dp: the predictions of a run as a Camera Trap Data Package.",
        ),
    ] = "features",
    run: Annotated[
        Path | None,
        typer.Option(help="camtrap-dp: the run that predicts.", show_default="newest in ./reports"),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write a store's features for other programs; 'fishembed import' reads them again.

    Examples
    --------
    fishembed export features.npz
    fishembed export cache/fish.h5 features.npz
    fishembed export cache/fish.h5 labels.csv --format manifest
    fishembed export cache/fish.h5 package --format camtrap-dp
    """
    from fishembed.cache import FeatureStore, export_manifest, export_store
    from fishembed.experiments import export_camtrap_dp

    if run is not None and kind != "camtrap-dp":
        raise InputError("--run is for --format camtrap-dp")
    named, target = _store_and_target(places, store)
    with (
        Console(as_json=as_json, working="exporting", interrupted=NOTHING_WRITTEN) as console,
        FeatureStore.open(resolve_store(named, console)) as opened,
    ):
        if kind == "camtrap-dp":
            export_camtrap_dp(resolve_run(run, console), str(opened.path), target)
            console.message(f"wrote {counted(len(opened), 'observation')} to {target}")
            console.document({"target": str(target), "rows": len(opened)})
            return
        if kind == "manifest":
            export_manifest(opened, target)
            console.message(f"wrote {counted(len(opened), 'row')} to {target}")
            console.document({"target": str(target), "rows": len(opened)})
            return
        export_store(opened, target, prompts=prompts, normalize=normalize)
        console.message(f"wrote {counted(len(opened), 'row')} of {opened.dim} to {target}")
        console.document({"target": str(target), "rows": len(opened), "dim": opened.dim})


def _store_and_target(places: list[Path], store: Path | None) -> tuple[Path | None, Path]:
    """Return the store that was named, before the target or by ``--store``, and the target."""
    *before, target = places
    if len(before) > 1:
        raise InputError(f"{len(places)} places were named: give a store and the target")
    if before and store is not None:
        raise InputError(f"the store is named twice: {str(before[0])!r} and {str(store)!r}")
    return (before[0] if before else store), target
