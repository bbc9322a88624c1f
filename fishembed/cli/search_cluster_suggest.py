"""The verbs `search`, `cluster` and `suggest`: find, group and choose images of a store."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import counted
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import (
    DeviceOption,
    GroupFilter,
    JsonOption,
    LabelFilter,
    PhotosOption,
    SeedOption,
    SplitFilter,
    StoreArgument,
    TrustEncoderOption,
    WhereOption,
    run_names,
    store_names,
    where_conditions,
)
from fishembed.cli.program.resolve_paths import find_run, resolve_store

_PRINTED = 10


def search(
    store: Annotated[
        Path,
        typer.Argument(
            help="Feature store: its path, or its name in ./cache.", autocompletion=store_names
        ),
    ],
    text: Annotated[
        str,
        typer.Argument(
            help="What the images shall show; with a minus what they shall not: "
            '"a fish with a tag -net".',
            show_default="none",
        ),
    ] = "",
    like: Annotated[
        list[Path] | None,
        typer.Option(help="Photo that they shall be like; repeat for several."),
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(help="What they shall not show; repeat for several.")
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of images.")] = 50,
    label: LabelFilter = None,
    split: SplitFilter = None,
    group: GroupFilter = None,
    where: WhereOption = None,
    photos: PhotosOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Name of the new folder in ./reports.",
            show_default="<store>-search; none with --json",
        ),
    ] = None,
    device: DeviceOption = "auto",
    trust_encoder: TrustEncoderOption = False,
    as_json: JsonOption = False,
) -> None:
    """Find images by words, by a photo, or both: a ranked table and a page with the images.

    Examples
    --------
    fishembed search fish "a fish with a tag -net"
    fishembed search fish --like photo.jpg --split test
    """
    with Console(as_json=as_json, working="searching", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.cache import open_store
        from fishembed.explore import search_store

        with open_store(place) as opened:
            found = search_store(
                opened,
                text,
                like=like or [],
                minus=minus or [],
                where=where_conditions(label, split, group, where),
                top=top,
                device=device,
                trust_encoder=trust_encoder,
                progress=console,
            )
            for path, score in list(zip(found.paths, found.scores, strict=True))[:_PRINTED]:
                console.answer(f"{score:.3f}  {path}")
            folder = None
            if output is not None or not as_json:
                from fishembed.reports import write_search

                folder = write_search(
                    found, opened, name=output, reports=reports_dir(), photos=photos
                )
                console.message(f"wrote {folder}")
        console.document(
            {
                "query": found.query,
                "searched": found.searched,
                "results": [
                    {"path": path, "score": round(float(score), 6)}
                    for path, score in zip(found.paths, found.scores, strict=True)
                ],
                "folder": None if folder is None else str(folder),
            }
        )


def cluster(
    store: StoreArgument = None,
    everything: Annotated[
        bool,
        typer.Option("--all", help="Cluster labelled images too, not only those without a label."),
    ] = False,
    method: Annotated[
        Literal["auto", "evoc", "hdbscan", "kmeans"],
        typer.Option(help="auto: evoc where it is installed (pip install 'fishembed[explore]')."),
    ] = "auto",
    n_clusters: Annotated[
        int | None,
        typer.Option(
            "--clusters", min=1, help="Number of clusters, by kmeans.", show_default="found"
        ),
    ] = None,
    site: Annotated[
        str | None,
        typer.Option(help="Column that names places.", show_default="site, else the groups"),
    ] = None,
    label: LabelFilter = None,
    split: SplitFilter = None,
    group: GroupFilter = None,
    where: WhereOption = None,
    seed: SeedOption = 0,
    photos: PhotosOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Name of the new folder in ./reports.",
            show_default="<store>-clusters",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Group images that are alike: a table, and a page on which whole groups are named.

    Examples
    --------
    fishembed cluster
    fishembed cluster fish --site station
    fishembed cluster fish --method kmeans --clusters 40
    """
    with Console(as_json=as_json, working="grouping", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.cache import open_store
        from fishembed.explore import cluster_store
        from fishembed.reports import write_clusters

        with open_store(place) as opened:
            found = cluster_store(
                opened,
                everything=everything,
                where=where_conditions(label, split, group, where),
                method=method,
                n_clusters=n_clusters,
                place=site,
                seed=seed,
            )
            alone = int((found.numbers < 0).sum())
            backgrounds = sum(one.may_be_background for one in found.clusters)
            console.message(
                f"{counted(len(found.clusters), 'cluster')} of {len(found.rows) - alone:,} images "
                f"by {found.method}" + (f"; {alone:,} like none" if alone else "")
            )
            if backgrounds:
                console.message(
                    f"{counted(backgrounds, 'cluster')} nearly all from one place "
                    f"({found.place_column}): a background may be what is alike"
                )
            folder = write_clusters(
                found, opened, name=output, reports=reports_dir(), photos=photos
            )
        console.message(f"wrote {folder}")
        console.document(
            {
                "folder": str(folder),
                "table": str(folder / "clusters.csv"),
                "method": found.method,
                "rows": len(found.rows),
                "unclustered": alone,
                "clusters": [
                    {
                        "cluster": one.number,
                        "rows": len(one.rows),
                        "proposed": list(one.proposed),
                        "place": one.place,
                        "may_be_background": one.may_be_background,
                    }
                    for one in found.clusters
                ],
            }
        )


def suggest(
    store: StoreArgument = None,
    run: Annotated[
        Path | None,
        typer.Option(
            help="Run whose head says what is uncertain: its folder, or its name.",
            show_default="a head of the labels there are",
            autocompletion=run_names,
        ),
    ] = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="Number of images.")] = 50,
    random: Annotated[
        int | None,
        typer.Option(
            "--random",
            min=1,
            help="Draw that many images at random instead: a sample to check a classifier on, "
            "kept apart in the split test.",
        ),
    ] = None,
    per_group: Annotated[
        int, typer.Option(min=1, help="Images of one group, while there are other groups.")
    ] = 1,
    label: LabelFilter = None,
    split: SplitFilter = None,
    group: GroupFilter = None,
    where: WhereOption = None,
    seed: SeedOption = 0,
    photos: PhotosOption = None,
    output: Annotated[
        str | None,
        typer.Option(
            "--output",
            "-o",
            help="Name of the new folder in ./reports.",
            show_default="<store>-suggest",
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Choose what to label next: what is unlike all labelled images, then what is uncertain.

    Examples
    --------
    fishembed suggest fish --run fish-auto
    fishembed suggest fish --random 200
    """
    with Console(as_json=as_json, working="choosing", interrupted=NOTHING_WRITTEN) as console:
        place = resolve_store(store, console)
        from fishembed.cache import open_store
        from fishembed.experiments import Run
        from fishembed.experiments.runs.find_runs import stale_warning
        from fishembed.explore import suggest_store
        from fishembed.reports import write_suggestions

        head = None if run is None else Run.open(find_run(run))
        if head is not None and (warning := stale_warning(head)):
            console.message(warning)
        with open_store(place) as opened:
            found = suggest_store(
                opened,
                run=head,
                top=top,
                random=random,
                where=where_conditions(label, split, group, where),
                per_group=per_group,
                seed=seed,
            )
            reasons = Counter(one.why for one in found.chosen)
            console.message(
                f"{counted(len(found.chosen), 'image')} of {found.n_open:,} without a label: "
                + ", ".join(f"{n:,} {why}" for why, n in reasons.items())
            )
            folder = write_suggestions(
                found, opened, name=output, reports=reports_dir(), photos=photos
            )
        console.message(f"wrote {folder}")
        console.document(
            {
                "folder": str(folder),
                "table": str(folder / "suggestions.csv"),
                "open": found.n_open,
                "suggestions": [
                    {"path": one.path, "why": one.why, "guesses": list(one.guesses)}
                    for one in found.chosen
                ],
            }
        )
