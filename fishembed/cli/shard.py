"""The verb `shard`: cut a store into several files."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.completion import store_names
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import JsonOption
from fishembed.cli.resolve_paths import find_store_named


def shard(
    store: Annotated[
        str, typer.Argument(help="Store to cut; it is kept.", autocompletion=store_names)
    ],
    target: Annotated[
        str,
        typer.Argument(
            help="NAME.json: index to write. The files go into the folder NAME beside it."
        ),
    ],
    rows: Annotated[int, typer.Option(min=1, help="Largest number of rows in a file.")] = 1_000_000,
    as_json: JsonOption = False,
) -> None:
    """Cut a store into several files, and write an index that opens them as one.

    Examples
    --------
    fishembed shard cache/fish.h5 cache/parted.json
    fishembed shard cache/fish.h5 cache/parted.json --rows 100000
    """
    from fishembed.cache import shard_store

    with Console(as_json=as_json, working="cutting", interrupted=NOTHING_WRITTEN) as console:
        files = shard_store(find_store_named(store), rows, target)
        console.message(f"wrote {counted(files, 'file')} and {target}")
        console.document({"store": target, "files": files})
