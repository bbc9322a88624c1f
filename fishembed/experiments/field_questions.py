"""Further scores of a run: unknown images, class sets, by site, pooled by group, taxa."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy.special import softmax

from fishembed._base.arrays import Array, upper_quantile
from fishembed._base.text import unknown_column
from fishembed.cache.store_columns import metadata_texts
from fishembed.errors import (
    FishembedError,
    InputError,
    NotFetchedError,
    StoreError,
    StoreFormatError,
    StoreIntegrityError,
)
from fishembed.evaluation.by_value import score_by_value
from fishembed.evaluation.confidence import conformal_sets
from fishembed.evaluation.rejection import risk_coverage, separation
from fishembed.evaluation.taxonomy import taxonomy_scores
from fishembed.experiments.held_out import HELD_OUT_NPZ, HeldOut
from fishembed.experiments.leave_out import leave_one_out, share_with_interval
from fishembed.experiments.predicting.class_tables import read_taxonomy
from fishembed.experiments.predicting.predicted_rows import ImageScores
from fishembed.experiments.predicting.prepared_run import PreparedRun
from fishembed.experiments.runs.run_documents import HEAD_NPZ, read_document, write_document
from fishembed.experiments.runs.run_folder import Run

if TYPE_CHECKING:
    from fishembed.classifiers import SavedHead

FIELD_JSON = "field.json"
_POINTS = 40
_LOGITS_AT_ONCE = 1 << 22

Document = dict[str, Any]


@dataclass(frozen=True, eq=False)
class _Scored:
    """Scored rows of the run's store: features and head, true classes, and metadata."""

    head: SavedHead
    X: Array
    codes: npt.NDArray[np.intp]
    groups: npt.NDArray[Any] | None
    columns: dict[str, list[str]]
    names: tuple[str, ...]

    def blocks(self) -> Iterator[tuple[slice, Array]]:
        """Yield the logits of some rows at a time: all would not fit where classes are many."""
        size = max(1, _LOGITS_AT_ONCE // len(self.names))
        for start in range(0, len(self.X), size):
            at = slice(start, start + size)
            yield at, self.head.logits(self.X[at])

    @cached_property
    def logits(self) -> Array:
        """Logits of all scored rows."""
        return np.concatenate([z for _, z in self.blocks()])

    @cached_property
    def right(self) -> npt.NDArray[np.bool_]:
        """Whether each row is predicted correctly; never for a class that was not learnt."""
        called = np.concatenate([z.argmax(axis=1) for _, z in self.blocks()])
        return np.asarray(called == self.codes)

    def groups_of(self, at: npt.NDArray[np.bool_]) -> npt.NDArray[Any] | None:
        """Return the groups of some rows; None where no image has one."""
        return None if self.groups is None else self.groups[at]


def answer_field_questions(
    run: Run,
    *,
    by: str | None = None,
    pool: str | None = None,
    taxonomy: str | Path | None = None,
    floor: float = 0.9,
    send_back: float = 0.05,
    sets: float = 0.95,
    leave_out: Document | None = None,
) -> Document:
    """Compute a run's further scores from its files and store; write them to its `field.json`.

    Parameters
    ----------
    by, pool
        Columns: scores by value, and of pooled images beside those of single ones.
    taxonomy, floor
        Table of the taxa of classes, and the probability that a predicted taxon needs.
    send_back, sets
        Share of known images that may be sent back, and probability of the sets.
    leave_out
        What `leave_one_out` returned, to be stored with the rest.

    Returns
    -------
    dict
        As `field.json`: unknown, sets, by, pool, taxonomy, leave_out, each where it was asked for
        or can be computed.

    Raises
    ------
    InputError
        When the store has no such column.
    StoreError
        When a column is asked for and the store is gone; where it is damaged, always.
    RunFormatError
        When a file of the run is not as it was written.
    """
    made = run.in_memory  # a result in memory is not read back
    held_out = PreparedRun(run).held_out if made is None else made.held_out
    document = _before(run)
    if held_out is not None:
        document["unknown"] = _unknown(held_out, send_back)
    try:
        scored = _scored(run)
    except (StoreError, NotFetchedError) as error:
        if by or pool or taxonomy or isinstance(error, StoreFormatError | StoreIntegrityError):
            raise
        scored = None
    if scored is not None:
        if held_out is not None:
            document["sets"] = _sets(held_out, scored, sets)
        if by is not None:
            document["by"] = _by(scored, by)
        if pool is not None:
            document["pool"] = _pool(scored, pool)
        if taxonomy is not None:
            document["taxonomy"] = _taxonomy(scored, Path(taxonomy), floor)
    if leave_out is not None:
        document["leave_out"] = leave_out
    write_document(run.folder / FIELD_JSON, document)
    return document


def ask_run(
    run: Run,
    *,
    by: str | None = None,
    pool: str | None = None,
    taxonomy: str | Path | None = None,
    leave_out: str | None = None,
) -> Document:
    """Compute the further scores of a run fitted in this process; see the two functions."""
    found = None
    if leave_out is not None:
        seed, head = int(run.info.get("seed", 0)), run.result.estimator
        with run.open_store() as store:
            found = leave_one_out(head, store, leave_out, run.features, seed)
    return answer_field_questions(run, by=by, pool=pool, taxonomy=taxonomy, leave_out=found)


def field_answers(run: Run) -> Document:
    """Return the content of `field.json`; computed now where it is missing and can be.

    Where it cannot be read or computed, `problem` names the reason.
    """
    try:
        known = _before(run)
        can_be_made = not known and (run.folder / HELD_OUT_NPZ).is_file()
        return answer_field_questions(run) if can_be_made else known
    except FishembedError as error:  # a page without these scores is better than none
        return {"problem": f"The questions from the field are not answered: {error}."}


def _before(run: Run) -> Document:
    place = run.folder / FIELD_JSON  # something else than a file there is refused when it is read
    return read_document(place) if os.path.lexists(place) else {}


def _scored(run: Run) -> _Scored | None:
    if not (run.folder / HEAD_NPZ).is_file():
        return None
    made, images = run.in_memory, run.result.images
    saved = run.load_head() if made is None or made.head is None else made.head
    head = saved.calibrated()
    index = {name: i for i, name in enumerate(head.names)}
    with run.open_store() as store:
        place = {path: i for i, path in enumerate(store.paths)}
        missing = next((path for path in images.paths if path not in place), None)
        if missing is not None:
            raise StoreError(f"{str(store.path)!r} no longer holds {missing!r}: fit again")
        rows = np.array([place[path] for path in images.paths], np.intp)
        true = [index.get(store.classes[k], -1) if k >= 0 else -1 for k in store.labels[rows]]
        return _Scored(
            head,
            store.embeddings(rows, run.features),
            np.array(true, np.intp),
            images.groups,
            metadata_texts(store, rows),
            head.names,
        )


def _unknown(held_out: HeldOut, rate: float) -> Document:
    known = held_out.known
    strange = known.strangeness(held_out.indecision, held_out.distance)
    unseen = known.strangeness(held_out.unseen_indecision, held_out.unseen_distance)
    coverage, risk = risk_coverage(strange, held_out.codes == held_out.predicted)
    at = np.unique(np.linspace(0, max(0, len(coverage) - 1), _POINTS).astype(int))[: len(coverage)]
    document: Document = {"send_back": rate, "threshold": known.threshold(rate)}
    far, unseen_far = (known.farness(d) for d in (held_out.distance, held_out.unseen_distance))
    scores = {
        "combined": (strange, unseen),
        "probability": (held_out.indecision, held_out.unseen_indecision),
        "distance": (far.sum(axis=1), unseen_far.sum(axis=1)),
    }
    if len(unseen) and len(strange):
        document["scores"] = {
            name: asdict(
                separation(a, b, min(upper_quantile(a, 1 - rate, held_out.grouped), a.max()))
            )
            for name, (a, b) in scores.items()
        }
    document["risk_coverage"] = [{"kept": float(coverage[i]), "wrong": float(risk[i])} for i in at]
    return document


def _sets(held_out: HeldOut, scored: _Scored, level: float) -> Document:
    known = scored.codes >= 0
    wrong, groups = 1 - held_out.p_true, held_out.grouped
    evenly = 1 / np.maximum(held_out.counts, 1)  # as `predict --prior uniform` weighs
    weights = (None, evenly[held_out.codes])
    thresholds = [upper_quantile(wrong, level, groups, weight) for weight in weights]
    sizes, held = _in_sets(scored, thresholds)
    by_class = []
    for c in np.unique(scored.codes[known]):
        at = scored.codes == c
        row = {
            "class": scored.names[c],
            "n": int(at.sum()),
            **share_with_interval("coverage", held[0, at], scored.groups_of(at)),
            "mean_size": float(sizes[0, at].mean()),
            "coverage_evenly": float(held[1, at].mean()),
            "held_out": int((held_out.codes == c).sum()),
        }
        by_class.append(row)
    by_class.sort(key=lambda row: (row["coverage_ci95"][1], row["coverage"]))
    return {
        "probability": level,
        **share_with_interval("coverage", held[0, known], scored.groups_of(known)),
        "mean_size": float(sizes[0].mean()),
        "median_size": float(np.median(sizes[0])),
        "single": float((sizes[0] == 1).mean()),
        "evenly": {
            "coverage": float(np.mean([row["coverage_evenly"] for row in by_class])),
            "mean_size": float(sizes[1].mean()),
        },
        "by_class": by_class,
    }


def _in_sets(scored: _Scored, thresholds: Sequence[float]) -> tuple[Array, Array]:
    """Return the size of each row's sets, and whether its class is in them: (n_sets, n)."""
    sizes = np.empty((len(thresholds), len(scored.X)), np.intp)
    held = np.empty(sizes.shape, bool)
    for at, z in scored.blocks():
        p = softmax(z, axis=1)
        for k, threshold in enumerate(thresholds):
            inside = conformal_sets(p, threshold)
            sizes[k, at] = inside.sum(axis=1)
            held[k, at] = inside[np.arange(len(z)), scored.codes[at]]
    return sizes, held & (scored.codes >= 0)


def _column(scored: _Scored, name: str) -> list[str]:
    if name not in scored.columns:
        raise InputError(f"the store has {unknown_column(name, scored.columns)}")
    return scored.columns[name]


def _by(scored: _Scored, column: str) -> Document:
    rows = score_by_value(_column(scored, column), scored.codes, scored.right, scored.groups)
    return {"column": column, "rows": [asdict(row) for row in rows]}


def _pool(scored: _Scored, column: str) -> Document:
    _column(scored, column)
    pooled = ImageScores(scored.logits, None, scored.columns, ()).pooled(column)
    codes = scored.codes
    true = np.array([codes[at[0]] for at in pooled.rows])
    right = pooled.logits.argmax(axis=1) == true
    outer = None if scored.groups is None else scored.groups[[at[0] for at in pooled.rows]]
    group = np.empty(len(codes), np.intp)
    for k, at in enumerate(pooled.rows):
        group[at] = k
    return {
        "column": column,
        "images": _accuracy(scored.right, group),
        "groups": _accuracy(right, outer),
        "of_several_classes": sum(len(np.unique(codes[at])) > 1 for at in pooled.rows),
    }


def _accuracy(right: Array, groups: Array | None) -> Document:
    return {"n": len(right), **share_with_interval("accuracy", right, groups)}


def _taxonomy(scored: _Scored, table: Path, floor: float) -> Document:
    taxa, missing = read_taxonomy(table, scored.names)
    known = scored.codes >= 0
    p = softmax(scored.logits[known], axis=1)
    scores = taxonomy_scores(taxa, scored.codes[known], p, floor, scored.groups_of(known))
    return {**asdict(scores), "missing": missing}
