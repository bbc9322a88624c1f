"""fishembed split."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.default_dirs import cache_dir
from fishembed._base.text import counted
from fishembed.cli.console import Console, aligned, command_line
from fishembed.cli.places import chosen_store


def split(
    store: Annotated[
        Path | None, typer.Argument(help="The store.", show_default="the newest in ./cache")
    ] = None,
    val: Annotated[float, typer.Option(help="Share of val, 0 for none.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of test, 0 for none.")] = 0.2,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Regular expression on paths: what it finds (its first group in brackets) names "
            "the group of a picture.",
            show_default="the store's groups",
        ),
    ] = None,
    group_duplicates: Annotated[
        bool, typer.Option("--group-duplicates", help="Keep near-duplicates together too.")
    ] = False,
    threshold: Annotated[
        float | None,
        typer.Option(help="Cosine for these.", show_default="chosen from the data"),
    ] = None,
    seed: Annotated[int, typer.Option(help="Of the order in which groups are dealt.")] = 0,
    manifest: Annotated[
        Path | None,
        typer.Option(help="CSV to write too.", show_default="<store>-split.csv beside the store"),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Deal the pictures over train, val and test; classes in proportion, groups undivided.

    Written to the store without encoding anything again; 'fishembed fix --undo' takes it back.

    Example: **fishembed split --group-by '^(.+)_[0-9]+[.]png$'**
    """
    with Console(as_json=as_json) as console:
        place = chosen_store(store, console)
        from fishembed.audit import split_store

        beside = place.parent if isinstance(place, Path) else Path(str(cache_dir()))
        table = manifest or beside / f"{place.stem}-split.csv"
        done = split_store(
            place,
            val=val,
            test=test,
            group_by=group_by,
            group_duplicates=group_duplicates,
            threshold=threshold,
            seed=seed,
            manifest=table,
            command=command_line(),
        )
        for note in done.notes:
            console.message(note)
        if done.replaced:
            console.message(f"{counted(done.replaced, 'row')} had another split before")
        counts = {
            name: sum(one.by_split[name] for one in done.balance.classes)
            for name in done.balance.splits
        }
        rows = [[name, f"{n:,}", f"{100 * n / done.rows:.1f}%"] for name, n in counts.items()]
        for line in aligned(["split", "labelled images", "share"], rows):
            console.message(line)
        for sentence in done.balance.notes():
            console.message(sentence)
        console.message(
            f"{counted(done.rows, 'row')} in {counted(done.n_groups, 'group')}; "
            f"{'wrote' if done.edit.changes else 'nothing to change in'} {place}, wrote {table}"
        )
        console.document(
            {
                "store": str(place),
                "manifest": str(table),
                "splits": counts,
                "units": done.n_groups,
                "changed": done.edit.count("split"),
                "replaced": done.replaced,
            }
        )
