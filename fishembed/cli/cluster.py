"""The verb `cluster`: group images that are alike, to name them together."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from fishembed._base.paths import reports_dir
from fishembed._base.text import counted
from fishembed.cli.console import NOTHING_WRITTEN, Console
from fishembed.cli.options import (
    GroupFilter,
    JsonOption,
    LabelFilter,
    PhotosOption,
    SeedOption,
    SplitFilter,
    StoreArgument,
    WhereOption,
    where_conditions,
)
from fishembed.cli.resolve_paths import resolve_store


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
