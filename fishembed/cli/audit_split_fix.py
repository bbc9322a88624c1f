"""The verbs `audit`, `split` and `fix`: check, divide and correct the data of a store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from fishembed._base.paths import cache_dir, reports_dir
from fishembed._base.text import counted, listed
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import (
    FetchOption,
    JsonOption,
    NamedStoreArgument,
    PhotosOption,
    StoreArgument,
    ThresholdOption,
    option,
    run_names,
)
from fishembed.cli.program.output import command_line
from fishembed.cli.program.resolve_paths import find_run, resolve_store
from fishembed.errors import InputError


@dataclass(frozen=True)
class AuditOptions:
    """Options of the checks of an audit and of its folder."""

    run: Path | None = option(
        None,
        "Also score this run without the test images that leak: its folder, or its name "
        "in ./reports.",
        autocompletion=run_names,
    )
    threshold: ThresholdOption = None
    photos: PhotosOption = None
    fetch: FetchOption = False
    no_photos: bool = option(False, "Do not read the images to look for blank, tiny or grey ones.")
    seed: int = option(0, "Seed of the cross-validation folds and of random samples.")
    name: str | None = option(None, "Name of the new folder in ./reports.", shown="<store>-audit")


def audit(
    store: StoreArgument = None,
    *,
    options: AuditOptions,
    as_json: JsonOption = False,
) -> None:
    """Check a store for duplicates, leaks between splits, wrong labels, outliers and imbalance.

    Writes a page, and tables that 'fishembed fix' applies after you have reviewed them.

    Examples
    --------
    fishembed audit
    fishembed audit fish --run fish-auto
    fishembed audit fish --no-photos
    """
    with Console(as_json=as_json, working="checking", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.audit import audit_store, findings, summary, write_audit
        from fishembed.cache import FeatureStore

        with FeatureStore.open(place) as opened:
            done = audit_store(
                opened,
                threshold=options.threshold,
                run=None if options.run is None else find_run(options.run),
                photos=options.photos,
                read_photos=not options.no_photos,
                fetch=options.fetch,
                seed=options.seed,
                progress=console,
            )
            for line in findings(done):
                console.message(line)
            folder = write_audit(
                done,
                opened,
                name=options.name,
                reports=reports_dir(),
                photos=options.photos,
                fetch=options.fetch,
                command=command_line(),
            )
        console.message(f"wrote {folder}")
        console.document({"audit": str(folder), **summary(done)})


@dataclass(frozen=True)
class SplitOptions:
    """Options of `fishembed.split`, by the names of its parameters."""

    val: float = option(0.1, "Share of images for val; 0 for no val split.")
    test: float = option(0.2, "Share of images for test; 0 for no test split.")
    group_by: str | None = option(
        None,
        "Regular expression searched in each path; what it matches (its first capture "
        "group, if any) names the image's group. Images of a group stay in one split.",
        shown="the store's groups",
    )
    group_duplicates: bool = option(False, "Also keep near-duplicates in one split.")
    threshold: ThresholdOption = None
    seed: int = option(0, "Seed of the random assignment.")


def split(
    store: StoreArgument = None,
    *,
    options: SplitOptions,
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
        done = split_store(place, manifest=table, command=command_line(), **vars(options))
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


FixesArgument = Annotated[
    list[Path] | None,
    typer.Argument(
        help="CSV with the columns path, action (drop, relabel, new or empty) and new_label: "
        "a table that 'fishembed audit' writes, or the decisions that a page saves. Several "
        "are merged."
    ),
]


def fix(
    store: NamedStoreArgument,
    fixes: FixesArgument = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Undo the last fix or split instead.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Drop, label and relabel images as tables of decisions say; nothing is encoded again.

    A table can be applied again after further marks: what is done is skipped.

    Examples
    --------
    fishembed fix fish reports/fish-audit/label_errors.csv
    fishembed fix fish decisions.csv more.csv
    fishembed fix fish --undo
    """
    if undo == bool(fixes):
        raise InputError("give a CSV of fixes, or --undo to undo the last fix or split")
    with Console(as_json=as_json, working="fixing", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.audit import fix_store
        from fishembed.cache import open_store, undo_edit

        left = 0
        if not fixes:
            undone = undo_edit(place)
            edit, left = undone.edit, len(undone.left)
            console.message(f"took back the {edit.verb} of {edit.when}: {edit.summary()}")
            if left:
                console.message(
                    f"left {counted(left, 'change')} that something later changed again"
                )
        else:
            with open_store(place) as opened:
                before = set(opened.classes)
            edit = fix_store(place, fixes, command=command_line(), progress=console)
            new = sorted({c.now for c in edit.changes if c.column == "label"} - before - {""})
            if new:
                console.message(f"{counted(len(new), 'new class', 'new classes')}: {listed(new)}")
            console.message(edit.summary() if edit.changes else "everything is as the table says")
        console.message(f"{'wrote' if edit.changes else 'nothing to do for'} {place}")
        console.document(
            {
                "store": str(place),
                "undone": not fixes,
                "verb": edit.verb,
                "labels": edit.count("label"),
                "splits": edit.count("split"),
                "groups": edit.count("group"),
                "dropped": edit.count("dropped"),
                "left": left,
            }
        )
