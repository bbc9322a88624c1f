"""fishembed merge."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console


def merge(
    target: Annotated[
        str,
        typer.Argument(
            help="NAME.json for an index: nothing is copied, the stores are opened as one. "
            "NAME.h5 for one file with all rows."
        ),
    ],
    stores: Annotated[list[str], typer.Argument(help="The stores, in the order of their rows.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Make one store of several that the same encoder made.

    Example: **fishembed merge cache/all.json cache/trip-1.h5 cache/trip-2.h5**
    """
    from fishembed.cache import merge_stores

    with Console(as_json=as_json) as console:
        rows, repeated = merge_stores(target, stores)
        if repeated:
            console.message(f"left out {counted(repeated, 'row')} that came again")
        console.message(
            f"wrote {counted(rows, 'row')} of {counted(len(stores), 'store')} to {target}"
        )
        console.document(
            {"store": target, "rows": rows, "repeated": repeated, "stores": len(stores)}
        )
