"""The vectors of the scored images, laid out in two dimensions."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed.cache import Store, Which, open_joined
from fishembed.errors import InputError, StoreError
from fishembed.reports.names import printable
from fishembed.reports.outcome import Floats, Ints, Outcome
from fishembed.reports.run import Run

_POINTS = 500
_WRONG_POINTS = 250
"""With more points a map takes longer than the rest of a report, and shows no more."""

_FEW = 50
"""Fewer points have too few neighbours for t-SNE."""


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
    xy, method = lay_out(vectors, seed=seed)
    return VectorMap(rows, xy, method, int(outcome.predictions.labelled.sum()))


def _store_path(run: Run, path: str) -> Path:
    """Find the store from here, or from the workspace whose `reports` folder the run is in."""
    here, workspace = Path(path), run.folder.absolute().parent.parent
    return here if here.exists() else workspace / path


def lay_out(vectors: npt.ArrayLike, *, seed: int = 0) -> tuple[Floats, str]:
    """Lay vectors out so that near ones stay near; by principal components where they are few.

    Parameters
    ----------
    vectors
        (n, dim) float.
    seed
        Of t-SNE.

    Returns
    -------
    float64 (n, 2), str
        The coordinates, and the sentence that says how they came about.

    References
    ----------
    van der Maaten & Hinton (2008). Visualizing data using t-SNE. JMLR 9, 2579-2605; Kobak &
    Berens (2019). The art of using t-SNE for single-cell transcriptomics. Nature
    Communications 10, 5416, for starting from principal components.
    """
    components, explained = principal_components(vectors, 50)
    spread = components[:, 0].std()
    if len(components) < _FEW or spread == 0:
        _, explained = principal_components(vectors)
        share = f"{100 * explained:.0f}% of the variance"
        return components[:, :2], f"Laid out by their first two principal components: {share}."
    from sklearn.manifold import TSNE
    from threadpoolctl import threadpool_limits

    tsne = TSNE(
        init=(components[:, :2] / spread * 1e-4).astype(np.float32),
        perplexity=min(30, len(components) / 4),
        max_iter=300,
        random_state=seed,
    )
    # The other processor draws figures meanwhile.
    with threadpool_limits(1):
        xy = tsne.fit_transform(components.astype(np.float32))
    return (
        np.asarray(xy, dtype=np.float64),
        "Laid out by t-SNE: images whose vectors are alike stand together; how far apart groups "
        "stand means little.",
    )


def principal_components(vectors: npt.ArrayLike, k: int = 2) -> tuple[Floats, float]:
    """Project vectors, scaled to length 1, onto their first principal components.

    Parameters
    ----------
    vectors
        (n, dim) float.
    k
        Number of components; those beyond what the vectors have are zero.

    Returns
    -------
    float64 (n, k), float
        The coordinates, and the share of the variance they carry. Signs are fixed: the
        largest weight of each component is positive.
    """
    from scipy import linalg

    X = np.asarray(vectors, dtype=np.float64)
    lengths = np.linalg.norm(X, axis=1, keepdims=True)
    X = X / np.where(lengths > 0, lengths, 1)
    X = X - X.mean(axis=0)
    scatter = X.T @ X
    wanted = (max(len(scatter) - k, 0), len(scatter) - 1)
    variances, axes = linalg.eigh(scatter, subset_by_index=wanted)
    top = np.zeros((len(scatter), k))
    top[:, : axes.shape[1]] = axes[:, ::-1]
    top *= np.where(top[np.abs(top).argmax(axis=0), range(k)] < 0, -1, 1)
    total = float(np.trace(scatter))
    return X @ top, min(float(variances.sum()) / total, 1.0) if total > 0 else 0.0


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
