"""Choose which images to label next, or draw a random sample to check a classifier on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fishembed._base.arrays import Double, Indices, unit_rows
from fishembed.cache import FeatureKind, Store, open_store
from fishembed.classifiers import GaussianHead
from fishembed.errors import InputError
from fishembed.experiments import Run
from fishembed.experiments.predicting.input_features import check_head_fits
from fishembed.explore.labelling_order import Why, next_to_label
from fishembed.explore.row_filter import filtered_rows

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


_AT_ONCE = 16_384


@dataclass(frozen=True)
class Suggestion:
    """One image to label.

    Attributes
    ----------
    row, path
        Of the store.
    why
        typical of what no labelled image is like, uncertain under the head, or random.
    score
        How much a label on a typical image raises the mean cosine of the images to the labelled
        one most like each; of an uncertain one 1 less the margin between the two most probable
        classes; NaN for random.
    guesses
        The most probable classes by the head, best first; empty without one.
    """

    row: int
    path: str
    why: Why
    score: float
    guesses: tuple[str, ...] = ()


@dataclass(frozen=True)
class Suggestions:
    """Images to label next, in this order.

    Attributes
    ----------
    chosen
        The images.
    n_open
        Rows without a label that were chosen from.
    """

    chosen: tuple[Suggestion, ...]
    n_open: int

    @property
    def n_typical(self) -> int:
        """Number of images that are typical of those unlike any labelled one."""
        return sum(one.why == "typical" for one in self.chosen)


def suggest_store(
    store: str | AnyPath | Store,
    *,
    run: str | Path | Run | None = None,
    top: int = 50,
    random: int | None = None,
    where: Sequence[str] = (),
    per_group: int = 1,
    seed: int = 0,
) -> Suggestions:
    """Choose the unlabelled rows whose labels would teach most.

    Images that are typical of what no labelled image is like come first; then, class by class, of
    which the head is least sure, always of the class with the fewest labels. The more of the known
    classes have one label only, the more images are typical; see `next_to_label`.

    Parameters
    ----------
    store
        The store or its path.
    run
        A run whose head measures uncertainty; without it a Gaussian head is fitted to the labels
        that are there. Where fewer than two classes have a label all images are typical.
    top
        Number of images.
    random
        Draw that many at random instead: a sample to check a classifier on. It goes into the
        split `test`, apart from training.
    where
        Conditions on the rows, see `filtered_rows`.
    per_group
        Images of one group, at most: frames of one fish teach little more than one of them. More
        are chosen where groups run out.
    seed
        Of what is drawn at random.

    Raises
    ------
    InputError
        When every row has a label already.
    StoreMismatchError, DimensionError
        When the run's head does not fit the store's features.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, suggest_store
    >>> X = np.repeat(np.eye(2), 10, axis=0)
    >>> labels = ["cod"] * 5 + [""] * 15
    >>> found = suggest_store(import_features({"features": X, "labels": labels}, "f.h5"), top=1)
    >>> found.chosen[0].row >= 10
    True
    """
    opened = store if isinstance(store, Store) else open_store(store)
    rows = filtered_rows(opened, where)
    unlabelled = rows[opened.labels[rows] < 0]
    if not len(unlabelled):
        raise InputError(f"every row of {str(opened.path)!r} that was asked for has a label")
    if min(top, top if random is None else random) < 1:
        raise InputError("ask for one image or more")
    if random is not None:
        drawn = _random_sample(unlabelled, random, seed)
        chosen = tuple(Suggestion(int(r), opened.paths[r], "random", float("nan")) for r in drawn)
        return Suggestions(chosen, len(unlabelled))
    rows = _rows_to_learn_from(opened, rows)
    labels = opened.labels[rows]
    known = (
        label_probabilities(opened, rows) if run is None else run_probabilities(run, opened, rows)
    )
    probabilities, names = known or (None, ())
    counts = Counter(opened.classes[label] for label in labels[labels >= 0])
    order = next_to_label(
        np.asarray(unit_rows(opened.embeddings(rows)), np.float32),
        labels,
        [opened.groups[row] for row in rows],
        top,
        probabilities=probabilities,
        counts=np.array([counts[name] for name in names], np.intp),
        per_group=per_group,
        seed=seed,
    )
    paths = opened.paths
    chosen = tuple(
        Suggestion(row, paths[row], one.why, one.score, _guesses(probabilities, names, one.at))
        for one, row in zip(order, rows[[one.at for one in order]].tolist(), strict=True)
    )
    return Suggestions(chosen, len(unlabelled))


def _rows_to_learn_from(store: Store, rows: Indices) -> Indices:
    """Leave out the rows held out for scores, unless no other row is without a label."""
    held_out = np.asarray(store.splits)[rows] == "test"
    unlabelled = store.labels[rows] < 0
    usable = ~held_out if (unlabelled & ~held_out).any() else ~held_out | unlabelled
    return np.asarray(rows[usable])


def _random_sample(rows: Indices, n: int, seed: int) -> Indices:
    from sklearn.utils import check_random_state

    random = check_random_state(seed)
    return np.sort(random.permutation(rows)[:n])


def _guesses(probabilities: Double | None, names: Sequence[str], at: int) -> tuple[str, ...]:
    if probabilities is None:
        return ()
    best = np.argsort(-probabilities[at], kind="stable")[:3]
    return tuple(names[k] for k in best)


def run_probabilities(
    run: str | Path | Run, store: Store, rows: Indices
) -> tuple[Double, tuple[str, ...]]:
    """Return the probability of each class for some rows, and the names of the classes.

    Raises
    ------
    RunFormatError
        When the run has no head, or its file has changed.
    DimensionError, StoreMismatchError
        When it was trained on other features than the store's.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    head = run.load_head()
    check_head_fits(head, store, run.features)
    return _in_blocks(head.calibrated(), store, rows, run.features), head.names


def label_probabilities(store: Store, rows: Indices) -> tuple[Double, tuple[str, ...]] | None:
    """Return the same as `run_probabilities`, by a Gaussian head fitted to the labelled rows.

    None where fewer than two classes have one.
    """
    labels = store.labels[rows]
    labelled = rows[labels >= 0]
    if len(np.unique(store.labels[labelled])) < 2:
        return None
    head = GaussianHead().fit(store.embeddings(labelled), store.labels[labelled])
    names = tuple(store.classes[label] for label in head.classes_)
    return _in_blocks(head, store, rows, "image"), names


def _in_blocks(head: Any, store: Store, rows: Indices, features: FeatureKind) -> Double:
    blocks = (rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE))
    return np.concatenate(
        [head.predict_proba(store.embeddings(block, features)) for block in blocks]
    )
