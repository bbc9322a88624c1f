"""The scored images of a run laid out in two dimensions by their embeddings."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Double, Ints
from fishembed._base.text import printable
from fishembed.cache import FeatureKind, Store
from fishembed.errors import (
    InputError,
    NotFetchedError,
    StoreError,
    StoreFormatError,
    StoreIntegrityError,
)
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.runs.run_result import ScoredImages
from fishembed.reports.dimension_reduction import reduce_in_subprocess

_POINTS = 500
_WRONG_POINTS = 250
"""A map of more points needs longer than the rest of a report, and shows no more."""

Landmark = tuple[int, Double]


@dataclass(frozen=True)
class EmbeddingMap:
    """Scored images in two dimensions, `xy` float64 (n_points, 2), out of `total` labelled ones.

    int64 (n_points,) `rows` are of `ScoredImages`, mistakes last; `method` is a sentence on the
    layout. The `landmarks` are the classes with most points, each with the
    place for its name, float64 (2,).
    """

    rows: Ints
    xy: Double
    method: str
    total: int
    landmarks: tuple[Landmark, ...] = ()


def map_embeddings(run: Run, *, seed: int = 0, fetch: bool = False) -> EmbeddingMap | str:
    """Lay out a run's scored images by their embeddings, or return a sentence on why not.

    `Run.open_store` opens the store, with `fetch` also one at a URL. `seed` is for the choice of
    images where there are more than 500, and for the layout.
    """
    images = run.result.images
    path = printable(str((run.info.get("store") or {}).get("path", "")))
    rows = map_rows(images, seed)
    if len(rows) < 3:
        return "There are too few labelled images for a map of their features."
    try:
        with closing(run.open_store(fetch=fetch)) as store:
            X = _features(store, [images.paths[i] for i in rows], run.features)
    except (NotFetchedError, StoreFormatError, StoreIntegrityError) as error:
        return f"There is no map of the features: {printable(str(error))}."
    except (StoreError, InputError, KeyError, OSError):
        return f"There is no map of the features: the store is no longer at {path}."
    if X is None:
        return f"There is no map of the features: {path} now holds other images."
    xy, method = reduce_in_subprocess(X, seed=seed)
    total = int(images.labelled.sum())
    return EmbeddingMap(rows, xy, method, total, landmarks(images.true[rows], xy))


def landmarks(true: Ints, xy: Double, limit: int = 16) -> tuple[Landmark, ...]:
    """Choose a point for the name of each of the `limit` classes with most points.

    `true` and float64 (n, 2) `xy` are class and place of each point. Returned are class and place:
    the point that is nearest to the median of the class's points.
    """
    classes, counts = np.unique(true, return_counts=True)
    found = []
    for label in classes[np.argsort(-counts, kind="stable")][:limit]:
        points = xy[true == label]
        away = np.linalg.norm(points - np.median(points, axis=0), axis=1)
        found.append((int(label), points[away.argmin()]))
    return tuple(found)


def map_rows(images: ScoredImages, seed: int = 0) -> Ints:
    """Choose the images of a map: mistakes before others, each at random where too many."""
    rng = np.random.default_rng(seed)
    wrong = _sample(np.flatnonzero(images.wrong), _WRONG_POINTS, rng)
    right = _sample(np.flatnonzero(images.labelled & images.right), _POINTS - len(wrong), rng)
    return np.concatenate([right, wrong]).astype(np.int64)


def _sample(
    rows: npt.NDArray[np.intp], limit: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    return rows if len(rows) <= limit else np.sort(rng.choice(rows, limit, replace=False))


def _features(store: Store, paths: list[str], which: FeatureKind) -> npt.NDArray[np.float32] | None:
    row = {path: i for i, path in enumerate(store.paths)}
    if not row.keys() >= set(paths):
        return None
    return store.embeddings(np.array([row[path] for path in paths]), which)
