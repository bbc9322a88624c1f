"""Write images to be labelled as a table and a page: search, clusters, suggestions, predictions."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

from fishembed._base.csv_files import write_csv
from fishembed._base.text import counted, printable
from fishembed.cache import Store
from fishembed.experiments import Run
from fishembed.experiments.predicting.predicted_images import (
    UNDECIDED,
    UNKNOWN,
    Prediction,
    Predictions,
    doubt,
    is_higher_taxon,
    look_at_it,
    species,
    sureness,
)
from fishembed.experiments.runs.run_files import PAGE_HTML
from fishembed.experiments.runs.run_folder import NewFolder, new_folder
from fishembed.explore import Clustering, SearchResult, Suggestions
from fishembed.explore.cluster import Cluster
from fishembed.images import ImageFiles
from fishembed.reports.label_sheet import (
    LabelSheet,
    SheetImage,
    SheetSection,
    images_at_hand,
    write_label_sheet,
)
from fishembed.reports.page_template import Tile

RESULTS_CSV = "results.csv"
CLUSTERS_CSV = "clusters.csv"
SUGGESTIONS_CSV = "suggestions.csv"

_TYPICAL = 12
_EDGE = 6
_DECISION = ("action", "new_label")


def write_search(
    result: SearchResult,
    store: Store,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
) -> Path:
    """Write a search into a new folder: `results.csv`, ranked, and a page with its images.

    Parameters
    ----------
    result, store
        What `search_store` returned, and the store it searched.
    name
        Of the folder; `<store>-search` when left out, numbered where that is there.
    reports
        Folder of the runs; FISHEMBED_REPORTS or `reports` when left out.
    photos
        Folder of the images; the one recorded in the store when left out.
    """
    labels = _labels(store)
    rows = list(zip(result.rows.tolist(), result.scores.tolist(), strict=True))
    table = [
        [rank, store.paths[row], round(score, 4), labels[row], str(store.splits[row]),
         store.groups[row], "", ""]
        for rank, (row, score) in enumerate(rows, 1)
    ]  # fmt: skip
    images = [
        SheetImage(store.paths[row], labels[row], lines=(f"cosine {score:.3f}",))
        for row, score in rows
    ]
    sheet = LabelSheet(
        f"{store.name}: search",
        store.classes,
        [SheetSection("", images)],
        eyebrow=f"search in {store.name} · {result.searched:,} photos",
        headline=f"“{result.query}”",
        about="Most alike first. The number is the cosine between the photo and what was "
        "searched for; those of words are small, and only their order counts.",
    )
    columns = ("rank", "path", "score", "label", "split", "group", *_DECISION)
    with new_folder(reports, name, f"{store.name}-search") as folder:
        write_csv(folder.path / RESULTS_CSV, columns, table)
        return _write_page(folder, sheet, store, photos)


def write_clusters(
    found: Clustering,
    store: Store,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
) -> Path:
    """Write clusters into a new folder: `clusters.csv`, and a page on which each can be named.

    Parameters
    ----------
    found, store
        What `cluster_store` returned, and the store.
    name, reports, photos
        As in `write_search`; the folder is `<store>-clusters`.
    """
    typicality = dict(zip(found.rows.tolist(), found.typicality.tolist(), strict=True))
    table = [
        [store.paths[row], number, round(typical, 4)]
        for (row, typical), number in zip(typicality.items(), found.numbers.tolist(), strict=True)
    ]
    alone = int((found.numbers < 0).sum())
    tiles = [
        Tile("Clusters", f"{len(found.clusters):,}", f"by {found.method}"),
        Tile("Photos in them", f"{len(found.rows) - alone:,}", f"of {len(found.rows):,}"),
    ]
    if found.place_column:
        backgrounds = sum(cluster.may_be_background for cluster in found.clusters)
        tiles.append(Tile("May be backgrounds", f"{backgrounds:,}", "nearly all from one place"))
    labels = _labels(store)
    sheet = LabelSheet(
        f"{store.name}: clusters",
        store.classes,
        [_cluster_section(one, store, labels, typicality) for one in found.clusters],
        eyebrow=f"clusters of {store.name} · {len(found.rows):,} photos",
        headline=f"{counted(len(found.clusters), 'group')} of photos that are alike.",
        about="Typical photos first, then those at the edge of the group. Name a whole group "
        "where its photos are of one species; answer single photos where they are not."
        + (f" {counted(alone, 'photo')} like no group are in none." if alone else ""),
        tiles=tiles,
    )
    with new_folder(reports, name, f"{store.name}-clusters") as folder:
        write_csv(folder.path / CLUSTERS_CSV, ("path", "cluster", "typicality"), table)
        return _write_page(folder, sheet, store, photos)


def write_suggestions(
    found: Suggestions,
    store: Store,
    *,
    name: str | None = None,
    reports: str | Path | None = None,
    photos: str | Path | None = None,
) -> Path:
    """Write the images to label next into a new folder: `suggestions.csv`, and a page to label on.

    Parameters
    ----------
    found, store
        What `suggest_store` returned, and the store.
    name, reports, photos
        As in `write_search`; the folder is `<store>-suggest`.
    """
    random = any(one.why == "random" for one in found.chosen)
    split = "test" if random else "train"
    table = [
        [one.path, one.why, "" if math.isnan(one.score) else round(one.score, 4),
         *(one.guesses[:1] or [""]), split, "", ""]
        for one in found.chosen
    ]  # fmt: skip
    images = [
        SheetImage(one.path, guesses=one.guesses, lines=(one.why,), split=split, chosen=one.why)
        for one in found.chosen
    ]
    headline, about = _suggestion_texts(found, random=random)
    sheet = LabelSheet(
        f"{store.name}: labels",
        store.classes,
        [SheetSection("", images)],
        eyebrow=f"what to label in {store.name} · {found.n_open:,} photos without a label",
        headline=headline,
        about=about,
    )
    columns = ("path", "why", "score", "guess", "split", *_DECISION)
    with new_folder(reports, name, f"{store.name}-suggest") as folder:
        write_csv(folder.path / SUGGESTIONS_CSV, columns, table)
        return _write_page(folder, sheet, store, photos)


def _suggestion_texts(found: Suggestions, *, random: bool) -> tuple[str, str]:
    n = counted(len(found.chosen), "photo")
    if random:
        return (
            f"{n} drawn at random, to check a classifier on.",
            "They go to the split test, apart from training: what is measured on them holds for "
            "all photos. Answer every one of them; leaving out the hard ones flatters.",
        )
    return (
        f"{n} to label next.",
        f"{counted(found.n_typical, 'photo')} are typical of what no labelled photo is like "
        "and come first; of the others the classifier is least sure, by species. All go to "
        "the split train: a score on photos chosen like this would mislead.",
    )


def _cluster_section(
    cluster: Cluster, store: Store, labels: Sequence[str], typicality: Mapping[int, float]
) -> SheetSection:
    rows = cluster.rows.tolist()
    typical = rows[:_TYPICAL]
    edge = rows[max(len(typical), len(rows) - _EDGE) :]
    images = [
        SheetImage(
            store.paths[row], labels[row], cluster.proposed, (f"{what} {typicality[row]:.2f}",)
        )
        for what, some in (("typical", typical), ("edge", edge))
        for row in some
    ]
    return SheetSection(
        title=f"Group {cluster.number + 1}",
        note=_cluster_note(cluster),
        images=images,
        members=[store.paths[row] for row in rows if store.labels[row] < 0],
        proposed=cluster.proposed,
    )


def _cluster_note(cluster: Cluster) -> str:
    """Return a sentence on a cluster: its size, labels and places."""
    parts = [counted(len(cluster.rows), "photo")]
    labelled = sum(n for _, n in cluster.labels)
    if labelled:
        names = ", ".join(f"{n:,} {printable(name)}" for name, n in cluster.labels[:3])
        parts.append(f"labelled: {names}")
    if not math.isnan(cluster.place_share):
        place = f"{100 * cluster.place_share:.0f}% from {printable(cluster.place)}, "
        places = counted(cluster.n_places, "place")
        parts.append(f"{place if cluster.place_share >= 0.5 else ''}{places} in all")
    text = "; ".join(parts) + "."
    if cluster.may_be_background:
        text += " Nearly all from one place: it may be the background that is alike, not the fish."
    return text


def _labels(store: Store) -> list[str]:
    names = [*store.classes, ""]
    return [names[label] for label in store.labels]


def _write_page(
    folder: NewFolder, sheet: LabelSheet, store: Store, image_folder: str | Path | None
) -> Path:
    images = images_at_hand(image_folder or store.source.get("root"))
    write_label_sheet(folder.path / PAGE_HTML, sheet, images, final=folder.final / PAGE_HTML)
    return folder.final


def write_contact_sheet(
    predictions: Predictions, run: str | Path | Run, output: Path, *, photos: str | None = None
) -> Path:
    """Write predictions as a contact sheet: by class, doubtful ones first, counts on top.

    Parameters
    ----------
    predictions, run
        What `predict_run` returned, and the run that made it.
    output
        The page; it is returned.
    photos
        Folder that paths start from; this folder when None, or the run's own where they are of
        its store.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    by_class: dict[str, list[Prediction]] = defaultdict(list)
    for one in predictions.predictions:
        by_class[_section(one)].append(one)
    names = sorted(by_class, key=lambda name: (name != UNKNOWN, -len(by_class[name]), name))
    sections = [
        SheetSection(name, [_image(one) for one in sorted(by_class[name], key=doubt)[::-1]])
        for name in names
    ]
    n = len(predictions.predictions)
    doubtful = sum(bool(look_at_it(one)) for one in predictions.predictions)
    higher = {_section(one) for one in predictions.predictions if is_higher_taxon(one)}
    found = counted(len(by_class.keys() - higher - {UNKNOWN}), "species", "species")
    taxa = f" and {counted(len(higher), 'higher taxon', 'higher taxa')}" if higher else ""
    tiles = [
        Tile("Photos", f"{n:,}"),
        Tile("Look at", f"{doubtful:,}", "less than 80% sure, or close to the second guess"),
        Tile("None of these", f"{len(by_class.get(UNKNOWN, ())):,}", "or undecided between two"),
        Tile("Not read", f"{len(predictions.skipped):,}"),
    ]
    sheet = LabelSheet(
        f"{run.name}: predictions",
        run.classes,
        sections,
        eyebrow=f"predictions of {run.name}",
        headline=f"{counted(n, 'photo')} of {found}{taxa}; look at {doubtful:,} of them.",
        about="By species, the doubtful ones first. The number is how sure the classifier is.",
        tiles=tiles,
        counts=[(name, len(by_class[name]), at) for at, name in enumerate(names)],
        problems=predictions.skipped,
    )
    output.parent.mkdir(parents=True, exist_ok=True)
    write_label_sheet(output, sheet, _images(predictions, run, photos))
    return output


def _section(one: Prediction) -> str:
    """Return an image's heading: of undecided ones the class they are most like."""
    name = species(one)
    return one.classes[0] if name == UNDECIDED else name


def _image(one: Prediction) -> SheetImage:
    if one.unknown:
        return SheetImage(one.path, guesses=one.classes, lines=(one.reason,))
    sure = f"{100 * sureness(one):.0f}% sure"
    if is_higher_taxon(one):
        second = f"look: most like {one.classes[0]}"
    else:
        second = f"look: or {one.classes[1]}" if len(one.classes) > 1 else "look"
    lines = (sure, second) if look_at_it(one) else (sure,)
    return SheetImage(one.path, guesses=(_section(one), *one.classes), lines=lines)


def _images(predictions: Predictions, run: Run, image_folder: str | None) -> ImageFiles | None:
    if image_folder is not None:
        return images_at_hand(image_folder)
    first = predictions.predictions[0].path if predictions.predictions else ""
    if Path(first).is_file():
        return images_at_hand(Path.cwd())
    return images_at_hand((run.info.get("store") or {}).get("source_root"))
