"""The verbs `merge` and `shard`: join stores into one, and cut one into several files."""

from __future__ import annotations

from typing import Annotated

import typer

from fishembed._base.text import counted
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import JsonOption, store_names
from fishembed.cli.program.resolve_paths import find_store_named
from fishembed.errors import InputError


def merge(
    stores: Annotated[
        list[str],
        typer.Argument(
            help="Stores to merge, whose rows are kept in this order, and last the new one. "
            "NAME.json: an index that opens them as one, without copying them. NAME.h5: one file "
            "with all rows.",
            metavar="STORES... TARGET",
            autocompletion=store_names,
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Merge stores of the same encoder into one.

    Examples
    --------
    fishembed merge cache/trip-1.h5 cache/trip-2.h5 cache/all.json
    fishembed merge trip-1 trip-2 cache/all.h5
    """
    from fishembed.cache import merge_stores

    with Console(as_json=as_json, working="merging", interrupted=NOTHING_WRITTEN) as console:
        target, sources = _ordered(stores)
        rows, repeated = merge_stores(target, [find_store_named(one) for one in sources])
        if repeated:
            console.message(f"left out {counted(repeated, 'repeated row')}")
        console.message(
            f"wrote {counted(rows, 'row')} of {counted(len(sources), 'store')} to {target}"
        )
        console.document(
            {"store": target, "rows": rows, "repeated": repeated, "stores": len(sources)}
        )


def _ordered(named: list[str]) -> tuple[str, list[str]]:
    """Return the target and the stores: the target is last, or first as in version 0.1.

    Raises
    ------
    InputError
        When both ends are indexes that exist, either of which could be replaced.
    """
    from fishembed.cache import is_store

    *sources, target = named
    if not sources:
        raise InputError(
            f"only {target!r} was named: give the stores to merge, and last the new one"
        )
    first_is, last_is = (is_store(find_store_named(one)) for one in (named[0], target))
    first_index, last_index = (
        is_store(one) and one.endswith(".json") for one in (named[0], target)
    )
    if first_index and last_index:
        raise InputError(
            f"{named[0]!r} and {target!r} are both indexes: which shall be replaced? Give the new "
            "one a name that is free"
        )
    if last_is and not last_index and (first_index or not first_is):
        return named[0], named[1:]
    return target, sources


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
