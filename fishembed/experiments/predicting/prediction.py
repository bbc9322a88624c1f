"""Predict the classes of new images, or of the rows of a store, by the head of a run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import largest
from fishembed._base.progress import Progress
from fishembed._base.text import listed
from fishembed.classifiers import SavedHead
from fishembed.encoders import Encoder
from fishembed.errors import InputError
from fishembed.experiments.held_out import HeldOut
from fishembed.experiments.predicting.class_frequencies import CatchCounts, count_catch, prior_shift
from fishembed.experiments.predicting.class_tables import read_class_lists, read_taxonomy
from fishembed.experiments.predicting.input_features import InputFeatures, read_input_features
from fishembed.experiments.predicting.predicted_images import Prediction, Predictions
from fishembed.experiments.predicting.predicted_rows import (
    ImageScores,
    PredictedRows,
    PredictionOptions,
    predict_rows,
)
from fishembed.experiments.predicting.prepared_run import PreparedRun, TrainingImages
from fishembed.experiments.runs.find_runs import open_run
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import TOP_K

N_NEIGHBOURS = 3
"""Training images that are shown as evidence."""
_LOGITS_AT_ONCE = 1 << 22
NOTHING_KEPT = (
    "this run keeps no held-out scores, so it cannot say that an image is none of its classes"
)


def predict_run(
    run: str | Path | Run | PreparedRun,
    inputs: Sequence[str | Path],
    *,
    top: int = TOP_K,
    unknown: bool = True,
    send_back: float = 0.05,
    sets: float | None = None,
    classes: str | Path | None = None,
    pool: str | None = None,
    prior: str | None = None,
    taxonomy: str | Path | None = None,
    floor: float = 0.9,
    counts: bool = False,
    checked: str | Path | None = None,
    evidence: bool = False,
    fetch: bool = False,
    trust_encoder: bool = False,
    device: str = "auto",
    encoder: Encoder | None = None,
    progress: Progress | None = None,
) -> Predictions:
    """Predict the classes of images by the head of a run.

    Parameters
    ----------
    run
        The run, its folder, or ``hf:OWNER/NAME`` of one on the hub. Its `head.npz` is read; no
        pickle is. A `PreparedRun` stores what was read for the next call.
    inputs
        Images, folders and patterns, which are encoded by the encoder that the run was made
        with; or a store (.h5), whose features are used and no encoder is loaded. Several stores
        are joined, see `fishembed.cache.join_stores`.
    top
        Classes that are named.
    unknown, send_back
        Whether images like none of the classes, or undecided, are sent back, and the share of
        images of known classes that may be.
    sets
        Name classes that hold the truth with this probability.
    classes
        Table of the classes that can be there: a column class, and one such as site where lists
        differ by it.
    pool
        Metadata column, or group, whose images get one prediction together.
    prior
        Class prior: uniform, train, estimate, or a table of class and share; the one that the
        head assumes when left out.
    taxonomy, floor
        Table of class, genus, family …: predict the deepest taxon that is at least as probable.
    counts, checked
        Whether to count images by class, corrected for mistakes, and a table of path and class of
        images of a random sample that a person checked.
    evidence
        Whether to find the nearest training images, in the run's own store.
    fetch
        Whether that store is fetched where it lies at a URL.
    trust_encoder
        Whether to load a model of the hub, or a file of weights, that the run alone names; else
        a store or another run of one's own must have been made with it.
    device
        Where to encode, see `fishembed.load_encoder`.
    encoder
        The encoder itself, where it is loaded already.
    progress
        Receives what is loaded and how many images are encoded.

    Raises
    ------
    DimensionError
        When the head does not fit the features.
    StoreMismatchError
        When the features come from another encoder than the run's.
    ImageError
        When no image could be read.
    EncoderError
        When the run's encoder cannot be had, or is not trusted.
    RunFormatError
        When the run's head was lost or is damaged.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, predict_run, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    >>> store = import_features(arrays, "f.h5")
    >>> found = predict_run(run_fit(store, head="centroid"), [store], top=1)
    >>> found.predictions[0].classes
    ('cod',)
    """
    if top < 1:
        raise InputError(f"top={top!r} must be at least 1")
    prepared = _prepared(run, fetch=fetch)
    run, head, names = prepared.run, prepared.head, prepared.head.names
    found = read_input_features(
        run, head, inputs, device=device, encoder=encoder, trust=trust_encoder, progress=progress
    )
    needs_held_out = unknown or counts or sets is not None or prior is not None
    held_out = prepared.held_out if needs_held_out else None
    lists = None if classes is None else read_class_lists(Path(classes))
    taxa, missing = (None, []) if taxonomy is None else read_taxonomy(Path(taxonomy), names)
    columns = found.named_columns([c for c in ((lists.column if lists else ""), pool or "") if c])
    together = pool is not None or counts or prior == "estimate"
    size = len(found.X) if together else _LOGITS_AT_ONCE // len(names)
    blocks = _score(found.X, prepared.calibrated, held_out if unknown else None, columns, size)
    first = next(blocks)
    shift = prior_shift(prior, first.logits, names, held_out, run.assumed_prior)
    options = PredictionOptions(
        unknown, send_back, sets, lists, taxa, floor, shift.logits, shift.shares
    )
    caught = None
    if counts:
        caught = _counted(first, names, held_out, options, paths=found.paths, checked=checked)
    predictions: list[Prediction] = []
    for scores in chain([first], blocks) if pool is None else [first.pooled(pool)]:
        rows = predict_rows(scores, names, held_out, options)
        predictions += _predictions(scores, rows, names, found.paths, top=top, pool=pool)
    if evidence:
        predictions = _with_evidence(predictions, found, prepared.training_images)
    return Predictions(
        tuple(predictions),
        found.skipped,
        run.assumed_prior,
        shift.sentence,
        () if lists is None else lists.not_among(names),
        caught,
        tuple(_notes(unknown and held_out is None, taxonomy, missing)),
        found.left_out,
    )


def _prepared(run: str | Path | Run | PreparedRun, *, fetch: bool) -> PreparedRun:
    if isinstance(run, PreparedRun):
        return run
    return PreparedRun(run if isinstance(run, Run) else open_run(run), fetch)


def _score(
    X: npt.NDArray[np.float32],
    head: SavedHead,
    held_out: HeldOut | None,
    columns: Mapping[str, Sequence[str]],
    size: int,
) -> Iterator[ImageScores]:
    """Yield the scores of some images at a time, since all logits may not fit in memory."""
    for start in range(0, len(X), max(size, 1)) or (0,):
        at = slice(start, start + max(size, 1))
        yield ImageScores(
            head.logits(X[at]),
            None if held_out is None else held_out.distances(X[at]),
            {name: values[at] for name, values in columns.items()},
            [np.array([i]) for i in range(start, start + len(X[at]))],
        )


def _counted(
    scores: ImageScores,
    names: Sequence[str],
    held_out: HeldOut | None,
    options: PredictionOptions,
    *,
    paths: Sequence[str],
    checked: str | Path | None,
) -> CatchCounts:
    """Count images by class, also those of classes that are on no list."""
    plain = replace(options, lists=None, sets=None, taxonomy=None)
    reasons = predict_rows(scores, names, held_out, plain).reasons
    return count_catch(paths, scores.logits, names, held_out, reasons=reasons, checked=checked)


def _with_evidence(
    predictions: Sequence[Prediction], found: InputFeatures, images: TrainingImages
) -> list[Prediction]:
    """Name the training images that lie nearest to each image, or to the first of each pool."""
    place = {path: i for i, path in enumerate(found.paths)}
    X = found.X[[place[one.path] for one in predictions]]
    near = images.nearest(X, N_NEIGHBOURS)
    return [replace(one, evidence=n) for one, n in zip(predictions, near, strict=True)]


def _notes(no_held_out: bool, taxonomy: str | Path | None, missing: Sequence[str]) -> Iterator[str]:
    if no_held_out:
        yield NOTHING_KEPT
    if missing:
        yield f"{str(taxonomy)!r} has no row for {listed(missing[:8])}: taxa of their own"


def _predictions(
    scores: ImageScores,
    rows: PredictedRows,
    names: Sequence[str],
    paths: Sequence[str],
    *,
    top: int,
    pool: str | None,
) -> Iterator[Prediction]:
    """Yield the predictions of images, or of pools of them, with the `top` classes of each."""
    for i, p in enumerate(rows.probabilities):
        wanted = np.ones(len(p), bool) if rows.allowed is None else rows.allowed[i]
        at = np.flatnonzero(wanted)
        best = at[largest(p[at][None], top)[0]]
        inside = None
        if rows.sets is not None:
            members = np.flatnonzero(wanted & rows.sets[i])
            inside = tuple(names[k] for k in members[np.argsort(-p[members], kind="stable")])
        own = tuple(paths[k] for k in scores.rows[i])
        yield Prediction(
            own[0],
            tuple(names[k] for k in best),
            tuple(p[best].tolist()),
            unknown=bool(rows.reasons[i]),
            reason=rows.reasons[i],
            set=inside,
            outside=None if rows.outside is None else float(rows.outside[i]),
            taxon=rows.taxa[i] if rows.taxa else None,
            pool="" if pool is None else scores.columns[pool][i],
            paths=own,
        )
