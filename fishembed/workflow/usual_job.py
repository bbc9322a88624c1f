"""Extract, audit, zero-shot, linear, the chosen head, compare, report: all in one call."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

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
"""Share of the photos that are scored on, where the dataset has no splits."""

_FEWEST = 2
"""Photos that an audit can compare."""

_AGAIN = "Give 'fishembed run'"


@dataclass(frozen=True)
class UsualJob:
    """Paths and results that the usual job made.

    Attributes
    ----------
    store, audit
        The feature store, and the folder of the audit; None where there are no two photos.
    runs
        Zero-shot where the encoder knows words, the linear head, and the chosen one; none where
        there are no labels of two classes.
    comparison
        Their comparison; None where there are no two runs.
    page
        What to look at first: the report of the best run, or the clusters; None where there is
        nothing to see.
    sentences
        What came out.
    lacks
        Why no classifier came out although there are labels; "" where one did.
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
    """Do the usual job on a dataset.

    Parameters
    ----------
    photos
        As `extract` takes them.
    encoder
        A name; the default encoder, or `embedded` where its weights cannot be had, when None.
    device
        See `fishembed.load_encoder`.
    seed
        Of all that is drawn at random.
    reports
        Folder of the runs; FISHEMBED_REPORTS or `reports` when left out.
    command
        What repeats it, for the records.
    progress
        Receives what is done.

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
        place = Path(str(store.path))
        if len(store) < _FEWEST:
            lacks = f"{_AGAIN} a folder of more photos, a folder for each species."
            return UsualJob(
                place, None, (), None, None, (_what_there_is(store, encoded), lacks), lacks
            )
        progress.message("looking at the data")
        audit = audit_store(store, seed=seed, progress=progress)
        folder = write_audit(audit, store, reports=home, command=command)
        first = _what_there_is(store, encoded), _what_stands_out(audit, store, folder)
        classes = {int(label) for label in store.labels if label >= 0}
        if len(classes) < 2:
            page, groups = _groups(store, home, seed)
            sentences = _one_class(store, page) if classes else _without_labels(store, page)
            lacks = sentences[0] if classes else ""
            return UsualJob(
                place, folder, (), None, page, (*first, groups, *sentences), lacks=lacks
            )
        runs = _zeroshot(store, home, seed, command, progress)
        try:
            runs += _fitted(store, home, seed, command, progress)
        except DataError as error:  # too few to hold a part of them out
            found = UsualJob(place, folder, tuple(runs), None, folder / "index.html", first)
            return _too_few(found, str(error), progress)
        best = runs[-1]
        page = write_report(best, progress=progress)
        comparison = _compared(runs, progress)
        sentences = (
            *first,
            *_what_came_out(runs, split),
            _what_next(best, folder, page, comparison),
        )
        return UsualJob(place, folder, tuple(runs), comparison, page, sentences)


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
    """Hold out a part of the photos where no split is there yet; say so.

    Copies stay together: a score on copies of what was learnt from would flatter.
    """
    with FeatureStore.open(place) as store:
        labelled = store.labels >= 0
        if (store.splits != "").any() or len(np.unique(store.labels[labelled])) < 2:
            return ""
    progress.message("holding out a fifth of the photos to score on; copies stay together")
    split_store(place, val=0, test=HELD_OUT, group_duplicates=True, seed=seed)
    with FeatureStore.open(place) as store:
        usable = {"train", "test"} <= set(store.splits.tolist())
    if not usable:  # all photos are copies of each other
        undo_edit(place)
        return ""
    return " and scored on a fifth that was held out, with copies on one side"


def _zeroshot(
    store: FeatureStore, home: Path, seed: int, command: str, progress: Progress
) -> list[Run]:
    """Return the zero-shot run, none where the encoder knows no words."""
    if not store.text_keys:
        return []
    progress.message("zero-shot: by the names of the classes")
    try:
        return [run_zeroshot(store, seed=seed, reports=home, command=command)]
    except FishembedError as error:
        progress.message(f"no zero-shot: {error}")
        return []


def _fitted(
    store: FeatureStore, home: Path, seed: int, command: str, progress: Progress
) -> list[Run]:
    """Return the runs of heads, the chosen one's last."""
    runs = []
    for head in ("linear", "auto"):
        progress.message(f"fitting: {head}")
        runs.append(
            run_fit(store, head=head, seed=seed, reports=home, command=command, progress=progress)
        )
    return runs


def _compared(runs: Sequence[Run], progress: Progress) -> Path | None:
    """Compare all runs, or the fitted ones where zero-shot was scored on other photos."""
    fitted = [run for run in runs if run.info["kind"] == "fit"]
    scored = {tuple(run.result.images.paths) for run in runs}
    try:
        return write_comparison(compare_runs(runs if len(scored) == 1 else fitted))
    except FishembedError as error:
        progress.message(f"not compared: {error}")
        return None


def _what_there_is(store: FeatureStore, encoded: Extraction) -> str:
    n = len({int(label) for label in store.labels if label >= 0})
    classes = f"of {counted(n, 'class', 'classes')}" if n else "without labels"
    are = "is" if len(store) == 1 else "are"
    skipped = len(encoded.skipped_files)
    left = f"; {counted(skipped, 'file')} could not be read" if skipped else ""
    return (
        f"{counted(len(store), 'photo')} {classes} {are} encoded by {store.encoder_name} in "
        f"{store.path}{left}."
    )


def _what_stands_out(audit: Audit, store: FeatureStore, folder: Path) -> str:
    asked = what_to_do(audit, store)
    found = "; ".join(asked[:3]) or "nothing stands out"
    return f"What the audit asks for ({folder}/index.html): {found}."


def _what_came_out(runs: Sequence[Run], split: str) -> tuple[str, str]:
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


def _what_next(best: Run, audit: Path, page: Path, comparison: Path | None) -> str:
    weakest = weakest_classes(best.metrics)
    compare = f" and {comparison}" if comparison else ""
    return (
        f"{weakest} Look at {page}{compare}, answer what looks wrong in {audit}/index.html, and "
        f"'fishembed predict {best.name} NEW-PHOTOS -o result.xlsx' names new photos."
    )


def _groups(store: FeatureStore, home: Path, seed: int) -> tuple[Path, str]:
    """Return the page of the clusters, and a sentence on them."""
    found = cluster_store(store, everything=True, seed=seed)
    page = write_clusters(found, store, reports=home) / "index.html"
    groups = counted(len(found.clusters), "group")
    return page, f"They fall into {groups} of like photos: see {page}."


def _one_class(store: FeatureStore, page: Path) -> tuple[str, ...]:
    name = printable(store.classes[int(store.labels.max())])
    return (
        f"All labels are of one class, {name}: a classifier needs two.",
        f"{_AGAIN} the folder above the folders of the species; or answer the photos that are "
        f"something else in {page}, and 'fishembed fix {store.path} decisions.csv' labels them.",
    )


def _too_few(done: UsualJob, why: str, progress: Progress) -> UsualJob:
    """Return what there is where no part of the labelled photos can be held out."""
    lacks = f"No classifier was fitted: {why}."
    page = write_report(done.runs[-1], progress=progress) if done.runs else done.page
    scored = [f"{printable(one.name)}: {summary_sentence(one.metrics)}" for one in done.runs]
    again = (
        f"{_AGAIN} at least two photos of each species, better ten; until then 'fishembed search "
        f"{done.store} --like PHOTO' finds what is alike."
    )
    return replace(done, page=page, sentences=(*done.sentences, *scored, lacks, again), lacks=lacks)


def _without_labels(store: FeatureStore, page: Path) -> tuple[str, ...]:
    return (
        f"There are no labels to learn from yet: name the groups in {page} and download the "
        "decisions.",
        f"'fishembed fix {store.path} decisions.csv' makes labels of them, 'fishembed suggest' "
        "says what to label next.",
    )
