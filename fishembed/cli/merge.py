"""The verb `merge`: one store of several."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.console import Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import find_store_named


def merge(
    target: Annotated[
        str,
        typer.Argument(
            help="NAME.json: an index that opens the stores as one, without copying them. "
            "NAME.h5: one file with all rows."
        ),
    ],
    stores: Annotated[
        list[str], typer.Argument(help="Two or more stores; rows are kept in this order.")
    ],
    as_json: JsonOption = False,
) -> None:
    """Merge stores of the same encoder into one.

    Example: **fishembed merge cache/all.json cache/trip-1.h5 cache/trip-2.h5**
    """
    from fishembed.cache import merge_stores

    with Console(as_json=as_json) as console:
        rows, repeated = merge_stores(target, [find_store_named(one) for one in stores])
        if repeated:
            console.message(f"left out {counted(repeated, 'repeated row')}")
        console.message(
            f"wrote {counted(rows, 'row')} of {counted(len(stores), 'store')} to {target}"
        )
        console.document(
            {"store": target, "rows": rows, "repeated": repeated, "stores": len(stores)}
        )
