"""The vectors of the scored images, laid out in two dimensions."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.cache import Store, Which, open_joined
from fishembed.errors import InputError, StoreError
from fishembed.reports.layout import lay_out_beside
from fishembed.reports.names import printable
from fishembed.reports.outcome import Floats, Ints, Outcome
from fishembed.reports.run import Run

_POINTS = 500
_WRONG_POINTS = 250
"""With more points a map takes longer than the rest of a report, and shows no more."""


@dataclass(frozen=True)
class VectorMap:
    """Scored images in two dimensions.

    Attributes
    ----------
    rows
        int64 (n_points,) rows of `Predictions`; those that are wrong come last.
    xy
        float64 (n_points, 2).
    method
        How they were laid out, as a sentence.
    total
        Labelled images the points were drawn from.
    """

    rows: Ints
    xy: Floats
    method: str
    total: int


def map_vectors(run: Run, outcome: Outcome, *, seed: int = 0) -> VectorMap | str:
    """Lay out a run's scored images by their vectors.

    Parameters
    ----------
    run, outcome
        The run and its tables; its store is looked for where it was when the run was made.
    seed
        Seed of the choice of images where there are more than 500, and of the layout.

    Returns
    -------
    VectorMap or str
        The map, or the sentence that says why there is none.
    """
    path = str((run.info.get("store") or {}).get("path", ""))
    paths = [str(one["path"]) for one in run.info.get("stores") or ()] or [path]
    rows = _chosen(outcome, seed)
    if len(rows) < 3:
        return "There are too few labelled images for a map of their vectors."
    try:
        with closing(open_joined([_store_path(run, one) for one in paths])) as store:
            shown = [outcome.predictions.paths[i] for i in rows]
            vectors = _vectors(store, shown, run.info.get("features", "image"))
    except (StoreError, InputError, OSError):
        return f"There is no map of the vectors: the store is no longer at {printable(path)}."
    if vectors is None:
        return f"There is no map of the vectors: {printable(path)} now holds other images."
    xy, method = lay_out_beside(vectors, seed=seed)
    return VectorMap(rows, xy, method, int(outcome.predictions.labelled.sum()))


def _store_path(run: Run, path: str) -> Path:
    """Find the store from here, or from the workspace whose `reports` folder the run is in."""
    here, workspace = Path(path), run.folder.absolute().parent.parent
    return here if here.exists() else workspace / path


def landmarks(outcome: Outcome, layout: VectorMap, limit: int = 16) -> list[tuple[int, Floats]]:
    """Choose a point for the name of each of the classes with most points on the map.

    Returns
    -------
    list of (int, float64 (2,))
        Class and place: its point that is nearest to the median of its points.
    """
    true = outcome.predictions.true[layout.rows]
    classes, counts = np.unique(true, return_counts=True)
    found = []
    for label in classes[np.argsort(-counts, kind="stable")][:limit]:
        points = layout.xy[true == label]
        away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
        found.append((int(label), points[away.argmin()]))
    return found


def _chosen(outcome: Outcome, seed: int) -> Ints:
    """Choose the images to show: mistakes before others, each at random where too many."""
    rng = np.random.default_rng(seed)
    wrong = _sample(np.flatnonzero(outcome.predictions.wrong), _WRONG_POINTS, rng)
    right = np.flatnonzero(outcome.predictions.labelled & outcome.predictions.right)
    right = _sample(right, _POINTS - len(wrong), rng)
    return np.concatenate([right, wrong]).astype(np.int64)


def _sample(
    rows: npt.NDArray[np.intp], limit: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    return rows if len(rows) <= limit else np.sort(rng.choice(rows, limit, replace=False))


def _vectors(store: Store, paths: list[str], which: Which) -> npt.NDArray[np.float32] | None:
    row = {path: i for i, path in enumerate(store.paths)}
    try:
        return store.vectors(np.array([row[path] for path in paths]), which)
    except KeyError:
        return None
