"""Choose which images to label next, or draw a random sample to check a classifier on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.cache import Store, open_store
from fishembed.errors import InputError
from fishembed.experiments import Run
from fishembed.explore.head_probabilities import run_probabilities
from fishembed.explore.row_filter import filtered_rows

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

Why = Literal["typical", "uncertain", "random"]

MOST_CLUSTERS = 500
"""Regions that the rows are divided into, at most."""

_NEIGHBOURS = 20
_DIM = 64

Indices = npt.NDArray[np.intp]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Suggestion:
    """One image to label.

    Attributes
    ----------
    row, path
        Of the store.
    why
        typical of a region without labels, uncertain under the head, or random.
    score
        Typicality, or 1 less the margin between the two most probable classes; NaN for random.
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
    """What to label next, in this order.

    Attributes
    ----------
    chosen
        The images.
    n_open
        Rows without a label that were chosen from.
    n_regions, n_uncovered
        Regions that the rows were divided into, and those of them without a label; 0 for a random
        sample.
    """

    chosen: tuple[Suggestion, ...]
    n_open: int
    n_regions: int = 0
    n_uncovered: int = 0


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

    Typical images of regions where nothing is labelled come first, the largest region before
    others; then, region by region, those that the run's head is least sure of.

    Parameters
    ----------
    store
        The store or its path.
    run
        A run whose head says what is uncertain; without it typical images go on.
    top
        Number of images.
    random
        Draw that many at random instead: a sample to check a classifier on. It is kept in the
        split `test`, apart from training.
    where
        Conditions on the rows, see `filtered_rows`.
    per_group
        Images of one group, at most: frames of one fish teach little more than one of them. More
        are taken where groups run out.
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
    X = np.asarray(unit_rows(opened.embeddings(rows)), np.float32)
    labelled = opened.labels[rows] >= 0
    regions = _regions(X, int(labelled.sum()), top, seed)
    typicality = _typicality(X, regions)
    covered = np.unique(regions[labelled])
    probabilities, names = run_probabilities(run, opened, rows) if run is not None else (None, ())
    order = suggestion_order(typicality, regions, labelled, probabilities)
    groups = [opened.groups[row] for row in rows]
    taken = _capped([at for at, _ in order], groups, labelled, per_group, top)
    why = dict(order)
    scores = typicality if probabilities is None else _uncertainty(probabilities)
    chosen = tuple(
        Suggestion(
            row=int(rows[at]),
            path=opened.paths[rows[at]],
            why=why[at],
            score=float((scores if why[at] == "uncertain" else typicality)[at]),
            guesses=_guesses(probabilities, names, at),
        )
        for at in taken
    )
    n_regions = int(regions.max()) + 1
    return Suggestions(chosen, len(unlabelled), n_regions, n_regions - len(covered))


def suggestion_order(
    typicality: Floats,
    regions: Indices,
    labelled: npt.NDArray[np.bool_],
    probabilities: npt.NDArray[np.float64] | None,
) -> list[tuple[int, Why]]:
    """Return all unlabelled rows, those to label first at the start, and why each is there.

    One row of each region that has no label yet, the largest region first; then the regions in
    turn, their least certain rows first (their most typical, where nothing is known of that).
    """
    sizes = np.bincount(regions)
    covered = np.zeros(len(sizes), bool)
    covered[regions[labelled]] = True
    value = typicality if probabilities is None else _uncertainty(probabilities)
    why: Why = "typical" if probabilities is None else "uncertain"
    first: list[int] = []
    queues: list[Indices] = []
    for region in np.argsort(-sizes, kind="stable"):
        inside = np.flatnonzero((regions == region) & ~labelled)
        if not len(inside):
            continue
        best = inside[np.argsort(-value[inside], kind="stable")]
        if not covered[region]:
            typical = int(inside[typicality[inside].argmax()])
            first.append(typical)
            best = best[best != typical]
        queues.append(best)
    rest = _in_turn(queues, value)
    return [(at, "typical") for at in first] + [(at, why) for at in rest]


def _in_turn(queues: list[Indices], value: Floats) -> list[int]:
    """Take one of each queue, those of highest value first, then the second of each."""
    rounds: list[list[int]] = [[] for _ in range(max(map(len, queues), default=0))]
    for queue in queues:
        for turn, at in enumerate(queue.tolist()):
            rounds[turn].append(at)
    return [at for turn in rounds for at in sorted(turn, key=lambda at: -value[at])]


def _capped(
    order: list[int], groups: list[str], labelled: npt.NDArray[np.bool_], cap: int, top: int
) -> list[int]:
    """Take the first rows, no more than `cap` of one group while there are others."""
    left = order
    taken: list[int] = []
    counts = Counter(groups[at] for at in np.flatnonzero(labelled) if groups[at])
    while left and len(taken) < top:
        later = []
        for at in left:
            if groups[at] and counts[groups[at]] >= cap:
                later.append(at)
                continue
            counts[groups[at]] += 1
            taken.append(at)
        left, cap = later, cap + 1 if later else cap
    return taken[:top]


def _random_sample(rows: Indices, n: int, seed: int) -> Indices:
    from sklearn.utils import check_random_state

    random = check_random_state(seed)
    return np.sort(random.permutation(rows)[:n])


def _regions(X: Floats, n_labelled: int, top: int, seed: int) -> Indices:
    """Divide the rows into more regions than there are labels, so that some are uncovered."""
    from sklearn.cluster import MiniBatchKMeans
    from sklearn.decomposition import PCA

    n = min(n_labelled + top, MOST_CLUSTERS, max(1, len(X) // 2))
    if X.shape[1] > _DIM < len(X):
        X = PCA(_DIM, random_state=seed, svd_solver="randomized").fit_transform(X)
    found = MiniBatchKMeans(n, n_init=3, random_state=seed, batch_size=2048).fit_predict(X)
    return np.unique(found, return_inverse=True)[1].astype(np.intp)


def _typicality(X: Floats, regions: Indices) -> Floats:
    """Return each row's mean cosine to its nearest rows of the same region.

    Source: Hacohen, Dekel and Weinshall (2022), Active learning on a budget, eq. 1 and 2.
    """
    out = np.zeros(len(X), np.float32)
    for region in range(int(regions.max()) + 1):
        inside = np.flatnonzero(regions == region)[:4096]
        cosines = X[inside] @ X[inside].T
        k = min(_NEIGHBOURS, len(inside) - 1)
        if k > 0:
            np.fill_diagonal(cosines, -1)
            out[inside] = np.partition(cosines, -k, axis=1)[:, -k:].mean(axis=1)
    return out


def _uncertainty(probabilities: npt.NDArray[np.float64]) -> Floats:
    """Return 1 less the margin between the two most probable classes."""
    if probabilities.shape[1] < 2:
        return np.zeros(len(probabilities), np.float32)
    best = np.partition(probabilities, -2, axis=1)[:, -2:]
    return np.asarray(1 - (best[:, 1] - best[:, 0]), np.float32)


def _guesses(
    probabilities: npt.NDArray[np.float64] | None, names: Sequence[str], at: int
) -> tuple[str, ...]:
    if probabilities is None:
        return ()
    best = np.argsort(-probabilities[at], kind="stable")[:3]
    return tuple(names[k] for k in best)
