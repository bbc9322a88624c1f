"""The verb `export`: write a store's features for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import resolve_store


def export(
    target: Annotated[
        Path,
        typer.Argument(
            help="NAME.npz for one file of arrays; else a new folder of .npy and Parquet files "
            "as clip-retrieval and embedding-reader expect them. With --format manifest, a CSV."
        ),
    ],
    store: Annotated[
        Path | None,
        typer.Option(
            help="Feature store: its path, or its name in ./cache.",
            show_default="newest in ./cache",
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
        Literal["features", "manifest"],
        typer.Option(
            "--format",
            help="manifest: a CSV of path, label, split, group and metadata, as they are after "
            "all fixes.",
        ),
    ] = "features",
    as_json: JsonOption = False,
) -> None:
    """Write a store's features for other programs; 'fishembed import' reads them again.

    Examples: **fishembed export features.npz --store cache/fish.h5**, **fishembed export
    labels.csv --format manifest**
    """
    from fishembed.cache import FeatureStore, export_manifest, export_store

    with (
        Console(as_json=as_json) as console,
        FeatureStore.open(resolve_store(store, console)) as opened,
    ):
        if kind == "manifest":
            export_manifest(opened, target)
            console.message(f"wrote {counted(len(opened), 'row')} to {target}")
            console.document({"target": str(target), "rows": len(opened)})
            return
        export_store(opened, target, prompts=prompts, normalize=normalize)
        console.message(f"wrote {counted(len(opened), 'row')} of {opened.dim} to {target}")
        console.document({"target": str(target), "rows": len(opened), "dim": opened.dim})
