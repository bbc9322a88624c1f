"""The verb `split`: assign images to train, val and test."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import cache_dir
from fishembed._base.text import counted
from fishembed.cli.console import NOTHING_WRITTEN, Console, command_line
from fishembed.cli.options import JsonOption, StoreArgument, ThresholdOption
from fishembed.cli.resolve_paths import resolve_store


def split(
    store: StoreArgument = None,
    val: Annotated[float, typer.Option(help="Share of images for val; 0 for no val split.")] = 0.1,
    test: Annotated[
        float, typer.Option(help="Share of images for test; 0 for no test split.")
    ] = 0.2,
    group_by: Annotated[
        str | None,
        typer.Option(
            help="Regular expression searched in each path; what it matches (its first capture "
            "group, if any) names the image's group. Images of a group stay in one split.",
            show_default="the store's groups",
        ),
    ] = None,
    group_duplicates: Annotated[
        bool, typer.Option("--group-duplicates", help="Also keep near-duplicates in one split.")
    ] = False,
    threshold: ThresholdOption = None,
    seed: Annotated[int, typer.Option(help="Seed of the random assignment.")] = 0,
    manifest: Annotated[
        Path | None,
        typer.Option(
            help="CSV file for path, label, split and group of every image.",
            show_default="<store>-split.csv beside the store",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Split a store into train, val and test: stratified by class, groups kept together.

    Nothing is encoded again. 'fishembed fix --undo' restores the splits of before.

    Examples
    --------
    fishembed split
    fishembed split fish --group-by '^(.+)_[0-9]+'
    fishembed split fish --val 0 --test 0.3 --group-duplicates
    """
    with Console(as_json=as_json, working="splitting", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
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
        console.table(["split", "labelled images", "share"], rows)
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
