"""fishembed import."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.default_dirs import cache_dir
from fishembed._base.text import counted
from fishembed.cli.console import Console


def import_(
    vectors: Annotated[
        Path,
        typer.Argument(
            help=".npz with features (n, dim), and optionally labels, classes, splits, paths, "
            "groups, digests, trunk, text_features, logit_scale, encoder; or a folder of .npy and "
            "Parquet as clip-retrieval writes it."
        ),
    ],
    store: Annotated[
        Path | None, typer.Option(help="Where the store shall lie.", show_default="cache/<name>.h5")
    ] = None,
    encoder: Annotated[
        str | None,
        typer.Option(
            "--encoder",
            "-e",
            help="What made the vectors.",
            show_default="what the file says, else imported",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make a store of vectors that something else computed.

    Example: **fishembed import vectors.npz --store cache/birds.h5**
    """
    from fishembed.cache import FeatureStore, import_vectors

    with Console(as_json=as_json) as console:
        place = store or cache_dir() / f"{vectors.stem}.h5"
        console.message(f"store: {place}{'' if store else ' (the default)'}")
        with FeatureStore.open(import_vectors(vectors, place, encoder=encoder)) as made:
            text = f", text vectors under {', '.join(made.text_keys)}" if made.text_keys else ""
            console.message(
                f"wrote {counted(len(made), 'row')} of {made.dim}, "
                f"{counted(len(made.classes), 'class', 'classes')}{text}"
            )
            console.document(
                {
                    "store": str(place),
                    "rows": len(made),
                    "dim": made.dim,
                    "classes": len(made.classes),
                    "prompts": made.text_keys,
                }
            )
