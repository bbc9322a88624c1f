"""fishembed export."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console
from fishembed.cli.places import chosen_store


def export(
    target: Annotated[
        Path,
        typer.Argument(
            help="NAME.npz for one file of arrays, or a folder's name for .npy and Parquet as "
            "clip-retrieval and embedding-reader lay them out."
        ),
    ],
    store: Annotated[
        Path | None, typer.Option(help="The store.", show_default="the newest in ./cache")
    ] = None,
    prompts: Annotated[
        str | None, typer.Option(help="Prompt set whose text vectors go along.")
    ] = None,
    normalize: Annotated[
        bool, typer.Option("--normalize", help="Scale each vector to length 1.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Write a store's vectors for other programs; 'fishembed import' reads them again.

    Example: **fishembed export vectors.npz --store cache/fish.h5**
    """
    from fishembed.cache import FeatureStore, export_store

    with (
        Console(as_json=as_json) as console,
        FeatureStore.open(chosen_store(store, console)) as opened,
    ):
        export_store(opened, target, prompts=prompts, normalize=normalize)
        console.message(f"wrote {counted(len(opened), 'row')} of {opened.dim} to {target}")
        console.document({"target": str(target), "rows": len(opened), "dim": opened.dim})
