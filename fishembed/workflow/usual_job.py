"""Extract, audit, fit zero-shot, linear and chosen head, compare and report, in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.paths import reports_dir
from fishembed._base.progress import NoProgress, Progress
from fishembed._base.text import counted, printable
from fishembed.audit import Audit, audit_store, split_store, write_audit
from fishembed.audit.write_audit import what_to_do
from fishembed.cache import FeatureStore, undo_edit
from fishembed.encoders import DEFAULT_ENCODER
from fishembed.errors import DataError, FishembedError, WeightsError
from fishembed.experiments import Run, compare_runs, run_fit, run_zeroshot
from fishembed.explore import cluster_store
from fishembed.extraction import Extraction, extract
from fishembed.reports import write_clusters, write_comparison, write_report
from fishembed.reports.run_sentences import summary_sentence, weakest_classes
from fishembed.reports.wording import percent

HELD_OUT = 0.2
"""Share of the images in the test split, where the dataset has no splits."""

_FEWEST = 2
"""Least number of images of an audit."""

_AGAIN = "Give 'fishembed run'"


@dataclass(frozen=True)
class UsualJob:
    """Paths and results of the usual job.

    Attributes
    ----------
    store, audit
        The feature store, and the folder of the audit, None with fewer than two images.
    runs
        Zero-shot where the encoder encodes texts, the linear head, and the chosen one; empty with
        fewer than two labelled classes.
    comparison
        Page of their comparison; None with fewer than two runs.
    page
        Page to open first: the report of the best run, or the clusters; None without a page.
    sentences
        Summary for the user.
    lacks
        Reason why no classifier was fitted; "" where one was, or without labels.
    """

    store: Path
    audit: Path | None
    runs: tuple[Run, ...]
    comparison: Path | None
    page: Path | None
    sentences: tuple[str, ...]
    lacks: str = ""


def run_usual_job(
    photos: str | Path | Sequence[str | Path],
    *,
    encoder: str | None = None,
    device: str = "auto",
    seed: int = 0,
    reports: str | Path | None = None,
    command: str = "",
    progress: Progress | None = None,
) -> UsualJob:
    """Run the usual job on a dataset.

    Parameters
    ----------
    photos
        Source of the dataset, see `fishembed.extract`.
    encoder
        A name; the default encoder, or `embedded` where its weights are not available, when None.
    device
        See `fishembed.load_encoder`.
    seed
        Seed of all random draws.
    reports
        Folder of the runs; FISHEMBED_REPORTS or `reports` when left out.
    command
        Command that repeats the job, stored in runs and pages.
    progress
        Receives messages and progress.

    Raises
    ------
    FishembedError
        As `extract`, `audit_store` and `run_fit` do.
    """
    progress = progress or NoProgress()
    home = Path(reports or reports_dir())
    encoded = _extracted(photos, encoder, device, progress)
    split = _split(str(encoded.store), seed, progress)
    with FeatureStore.open(encoded.store) as store:
        there = _store_sentence(store, encoded)
        done = UsualJob(Path(str(store.path)), None, (), None, None, (there,))
        if len(store) < _FEWEST:
            lacks = f"{_AGAIN} a folder of more photos, a folder for each species."
            return replace(done, sentences=(there, lacks), lacks=lacks)
        progress.message("looking at the data")
        audit = audit_store(store, seed=seed, progress=progress)
        folder = write_audit(audit, store, reports=home, command=command)
        first = there, _audit_sentence(audit, store, folder)
        done = replace(done, audit=folder, sentences=first)
        if _n_classes(store) < 2:
            return _with_clusters(done, store, home, seed)
        options: dict[str, Any] = {"seed": seed, "reports": home, "command": command}
        runs = _zeroshot(store, progress, options)
        try:
            for head in ("linear", "auto"):
                progress.message(f"fitting: {head}")
                runs.append(run_fit(store, head=head, progress=progress, **options))
        except DataError as error:  # too few images for a test split
            done = replace(done, runs=tuple(runs), page=folder / "index.html")
            return _too_few(done, str(error), progress)
        page, comparison = write_report(runs[-1], progress=progress), _compared(runs, progress)
        last = (*_result_sentences(runs, split), _next_sentence(runs[-1], folder, page, comparison))
        return replace(
            done, runs=tuple(runs), comparison=comparison, page=page, sentences=(*first, *last)
        )


def _extracted(
    photos: str | Path | Sequence[str | Path],
    encoder: str | None,
    device: str,
    progress: Progress,
) -> Extraction:
    if encoder is not None:
        return extract(photos, encoder=encoder, device=device, reporter=progress)
    try:
        return extract(photos, device=device, reporter=progress)
    except WeightsError:
        progress.message(
            f"the weights of {DEFAULT_ENCODER} are not at hand, so the encoder embedded is taken"
        )
    return extract(photos, encoder="embedded", device=device, reporter=progress)


def _split(place: str | Path, seed: int, progress: Progress) -> str:
    """Hold out a part of the images where there are no splits; return a phrase on that, or "".

    Copies stay together: scores on copies of training images would be too high.
    """
    with FeatureStore.open(place) as store:
        if (store.splits != "").any() or _n_classes(store) < 2:
            return ""
    progress.message("holding out a fifth of the photos to score on; copies stay together")
    split_store(place, val=0, test=HELD_OUT, group_duplicates=True, seed=seed)
    with FeatureStore.open(place) as store:
        usable = {"train", "test"} <= set(store.splits.tolist())
    if not usable:  # all photos are copies of each other
        undo_edit(place)
        return ""
    return " and scored on a fifth that was held out, with copies on one side"


def _zeroshot(store: FeatureStore, progress: Progress, options: dict[str, Any]) -> list[Run]:
    """Return the zero-shot run in a list, empty where the encoder encodes no texts."""
    if not store.text_keys:
        return []
    progress.message("zero-shot: by the names of the classes")
    try:
        return [run_zeroshot(store, **options)]
    except FishembedError as error:
        progress.message(f"no zero-shot: {error}")
        return []


def _compared(runs: Sequence[Run], progress: Progress) -> Path | None:
    """Compare all runs, or the fitted ones where zero-shot was scored on other images."""
    fitted = [run for run in runs if run.info["kind"] == "fit"]
    scored = {tuple(run.result.images.paths) for run in runs}
    try:
        return write_comparison(compare_runs(runs if len(scored) == 1 else fitted))
    except FishembedError as error:
        progress.message(f"not compared: {error}")
        return None


def _n_classes(store: FeatureStore) -> int:
    """Return the number of classes with labelled rows."""
    return len(np.unique(store.labels[store.labels >= 0]))


def _store_sentence(store: FeatureStore, encoded: Extraction) -> str:
    n = _n_classes(store)
    classes = f"of {counted(n, 'class', 'classes')}" if n else "without labels"
    are = "is" if len(store) == 1 else "are"
    skipped = len(encoded.skipped_files)
    left = f"; {counted(skipped, 'file')} could not be read" if skipped else ""
    return (
        f"{counted(len(store), 'photo')} {classes} {are} encoded by {store.encoder_name} in "
        f"{store.path}{left}."
    )


def _audit_sentence(audit: Audit, store: FeatureStore, folder: Path) -> str:
    asked = what_to_do(audit, store)
    found = "; ".join(asked[:3]) or "nothing stands out"
    return f"What the audit asks for ({folder}/index.html): {found}."


def _result_sentences(runs: Sequence[Run], split: str) -> tuple[str, str]:
    best, others = runs[-1], runs[:-1]
    compared = ", ".join(
        f"{percent(run.metrics['macro_recall'])} by {printable(run.name)}" for run in others
    )
    return (
        f"{printable(best.name)}, chosen by cross-validation{split}: "
        f"{summary_sentence(best.metrics)}",
        f"Its macro recall, the mean over the classes, is "
        f"{percent(best.metrics['macro_recall'])}, against {compared}.",
    )


def _next_sentence(best: Run, audit: Path, page: Path, comparison: Path | None) -> str:
    weakest = weakest_classes(best.metrics)
    compare = f" and {comparison}" if comparison else ""
    return (
        f"{weakest} Look at {page}{compare}, answer what looks wrong in {audit}/index.html, and "
        f"'fishembed predict {best.name} NEW-PHOTOS -o result.xlsx' names new photos."
    )


def _with_clusters(done: UsualJob, store: FeatureStore, home: Path, seed: int) -> UsualJob:
    """Return the job's clusters, with fewer than two labelled classes."""
    found = cluster_store(store, everything=True, seed=seed)
    page = write_clusters(found, store, reports=home) / "index.html"
    like = counted(len(found.clusters), "group")
    sentences = [f"They fall into {like} of like photos: see {page}."]
    lacks = ""
    if _n_classes(store):
        name = printable(store.classes[int(store.labels.max())])
        lacks = f"All labels are of one class, {name}: a classifier needs two."
        sentences += [
            lacks,
            f"{_AGAIN} the folder above the folders of the species; or answer the photos that are "
            f"something else in {page}, and 'fishembed fix {store.path} decisions.csv' labels "
            "them.",
        ]
    else:
        sentences += [
            f"There are no labels to learn from yet: name the groups in {page} and download the "
            "decisions.",
            f"'fishembed fix {store.path} decisions.csv' makes labels of them, 'fishembed suggest' "
            "says what to label next.",
        ]
    return replace(done, page=page, sentences=(*done.sentences, *sentences), lacks=lacks)


def _too_few(done: UsualJob, why: str, progress: Progress) -> UsualJob:
    """Return the job's results where no part of the labelled images can be held out."""
    lacks = f"No classifier was fitted: {why}."
    page = write_report(done.runs[-1], progress=progress) if done.runs else done.page
    scored = [f"{printable(one.name)}: {summary_sentence(one.metrics)}" for one in done.runs]
    again = (
        f"{_AGAIN} at least two photos of each species, better ten; until then 'fishembed search "
        f"{done.store} --like PHOTO' finds what is alike."
    )
    return replace(done, page=page, sentences=(*done.sentences, *scored, lacks, again), lacks=lacks)
