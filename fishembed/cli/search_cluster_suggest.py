"""The verbs `search`, `cluster` and `suggest`: find, group and choose images of a store."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import counted
from fishembed.cli.program.console import NOTHING_WRITTEN, Console
from fishembed.cli.program.options import (
    DeviceOption,
    JsonOption,
    NamedStoreArgument,
    PhotosOption,
    RowFilter,
    SeedOption,
    StoreArgument,
    TopOption,
    TrustEncoderOption,
    new_folder,
    option,
    run_names,
)
from fishembed.cli.program.resolve_paths import find_run, resolve_store
from fishembed.cli.program.summaries import print_stale

if TYPE_CHECKING:
    from fishembed.explore.cluster import Cluster

_PRINTED = 10


@dataclass(frozen=True)
class SearchOptions:
    """Options of a search beside the text."""

    like: list[Path] | None = option(None, "Photo that they shall be like; repeat for several.")
    minus: list[str] | None = option(None, "What they shall not show; repeat for several.")
    top: TopOption = 50


TextArgument = Annotated[
    str,
    typer.Argument(
        help="What the images shall show; with a minus what they shall not: "
        '"a fish with a tag -net".',
        show_default="none",
    ),
]


def search(
    store: NamedStoreArgument,
    text: TextArgument = "",
    *,
    options: SearchOptions,
    rows: RowFilter,
    photos: PhotosOption = None,
    output: Annotated[str | None, new_folder("<store>-search; none with --json")] = None,
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
                like=options.like or [],
                minus=options.minus or [],
                where=rows.conditions(),
                top=options.top,
                device=device,
                trust_encoder=trust_encoder,
                progress=console,
            )
            ranked = list(zip(found.paths, found.scores, strict=True))
            for path, score in ranked[:_PRINTED]:
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
                    {"path": path, "score": round(float(score), 6)} for path, score in ranked
                ],
                "folder": None if folder is None else str(folder),
            }
        )


@dataclass(frozen=True)
class ClusterOptions:
    """Options of `fishembed.cluster_store`, by the names of its parameters."""

    everything: bool = option(
        False, "Cluster labelled images too, not only those without a label.", "--all"
    )
    method: Literal["auto", "evoc", "hdbscan", "kmeans"] = option(
        "auto", "auto: evoc where it is installed (pip install 'fishembed[explore]')."
    )
    n_clusters: int | None = option(
        None, "Number of clusters, by kmeans.", "--clusters", shown="found", min=1
    )
    place: str | None = option(
        None, "Column that names places.", "--site", shown="site, else the groups"
    )


def cluster(
    store: StoreArgument = None,
    *,
    options: ClusterOptions,
    rows: RowFilter,
    seed: SeedOption = 0,
    photos: PhotosOption = None,
    output: Annotated[str | None, new_folder("<store>-clusters")] = None,
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
            found = cluster_store(opened, where=rows.conditions(), seed=seed, **vars(options))
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
                "clusters": [_cluster_document(one) for one in found.clusters],
            }
        )


def _cluster_document(one: Cluster) -> dict[str, object]:
    return {
        "cluster": one.number,
        "rows": len(one.rows),
        "proposed": list(one.proposed),
        "place": one.place,
        "may_be_background": one.may_be_background,
    }


@dataclass(frozen=True)
class SuggestOptions:
    """Options of `fishembed.suggest_store`, by the names of its parameters."""

    top: TopOption = 50
    random: int | None = option(
        None,
        "Draw that many images at random instead: a sample to check a classifier on, "
        "kept apart in the split test.",
        min=1,
    )
    per_group: int = option(1, "Images of one group, while there are other groups.", min=1)


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
    *,
    options: SuggestOptions,
    rows: RowFilter,
    seed: SeedOption = 0,
    photos: PhotosOption = None,
    output: Annotated[str | None, new_folder("<store>-suggest")] = None,
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
        from fishembed.explore import suggest_store
        from fishembed.reports import write_suggestions

        head = None if run is None else Run.open(find_run(run))
        if head is not None:
            print_stale(console, head)
        with open_store(place) as opened:
            found = suggest_store(
                opened, run=head, where=rows.conditions(), seed=seed, **vars(options)
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
