"""Group the rows of a store by the similarity of their images, and propose names for each group."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices, Single, unit_rows
from fishembed._base.text import unknown_column
from fishembed.cache import Store, open_store
from fishembed.errors import DataError, InputError, MissingExtraError
from fishembed.explore.row_filter import filter_columns, filtered_rows

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

Method = Literal["auto", "evoc", "hdbscan", "kmeans"]
METHODS: tuple[Method, ...] = ("auto", "evoc", "hdbscan", "kmeans")

SMALLEST = 5
"""Rows of the smallest cluster."""

ONE_PLACE = 0.9
"""Share of a cluster's rows from one place from which it may be a background, not a species."""

_PROPOSED = 3
_DENSITY_DIM = 32
_EVOC_DIM = 4
"""Least dimension that EVoC's layout of the graph of neighbours starts from."""


@dataclass(frozen=True)
class Cluster:
    """One group of rows.

    Attributes
    ----------
    number
        Counts from 0, the largest first.
    rows
        Numbers of its rows in the store, most typical first.
    labels
        (class, rows) of those that have a label, commonest first.
    proposed
        Names that fit, best first: the commonest label, else the classes whose names or whose
        labelled rows are most alike.
    place, place_share, n_places
        The commonest site (or group), the share of rows there, and how many there are; "" and
        NaN where none is known.
    """

    number: int
    rows: Indices
    labels: tuple[tuple[str, int], ...]
    proposed: tuple[str, ...]
    place: str
    place_share: float
    n_places: int

    @property
    def may_be_background(self) -> bool:
        """Whether nearly all rows come from one place, which no single label explains."""
        labelled = sum(n for _, n in self.labels)
        one_label = labelled and self.labels[0][1] / labelled >= ONE_PLACE
        return self.place_share >= ONE_PLACE and len(self.rows) > 1 and not one_label


@dataclass(frozen=True)
class Clustering:
    """All clusters of a store's rows.

    Attributes
    ----------
    rows
        intp (n,), numbers of the rows that were clustered.
    numbers
        intp (n,), the cluster of each; -1 where it is like no cluster.
    typicality
        float32 (n,), cosine to the middle of its cluster, or of the nearest where it has none.
    clusters
        Largest first.
    method
        What grouped them: evoc, hdbscan or kmeans.
    place_column
        Name of the column that places are read from; "" for none.
    """

    rows: Indices
    numbers: Indices
    typicality: Single
    clusters: tuple[Cluster, ...]
    method: str
    place_column: str


def cluster_store(
    store: str | AnyPath | Store,
    *,
    everything: bool = False,
    where: Sequence[str] = (),
    method: Method = "auto",
    n_clusters: int | None = None,
    place: str | None = None,
    seed: int = 0,
) -> Clustering:
    """Group rows whose images are alike.

    Parameters
    ----------
    store
        The store or its path.
    everything
        Whether labelled rows are clustered too; without, only those that have no label, or all
        where every row has one.
    where
        Conditions on the rows, see `filtered_rows`.
    method
        evoc finds the number of clusters itself and leaves out rows like no others; hdbscan does
        too; kmeans puts every row into one of `n_clusters`. auto is evoc where it is installed,
        and kmeans where it is not or `n_clusters` is set. Below 20 rows it is always kmeans: too
        few to measure how dense they lie.
    n_clusters
        For kmeans; the square root of twice the number of rows when None.
    place
        Column whose values are places; `site` when the store has it, else the groups.
    seed
        Of what is drawn at random.

    Raises
    ------
    InputError
        When there are fewer than two rows, or no such column or method.
    MissingExtraError
        When evoc is wanted and not installed.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import cluster_store, import_features
    >>> X = np.repeat(np.eye(2), 10, axis=0) + 0.01 * np.random.default_rng(0).normal(size=(20, 2))
    >>> found = cluster_store(import_features({"features": X}, "f.h5"), n_clusters=2)
    >>> [len(cluster.rows) for cluster in found.clusters]
    [10, 10]
    """
    opened = store if isinstance(store, Store) else open_store(store)
    rows = _rows_to_cluster(opened, where, everything=everything)
    X = np.asarray(unit_rows(opened.embeddings(rows)), np.float32)
    chosen = _chosen_method(method, n_clusters, len(X))
    if (X[0] == X).all():  # nothing to find, and variances of 0 to divide by
        numbers = np.zeros(len(X), np.intp)
    else:
        numbers = _largest_first(_METHODS[chosen](X, n_clusters=n_clusters, seed=seed))
    middles = cluster_middles(X, numbers)
    cosines = X @ middles.T if len(middles) else np.zeros((len(X), 1), np.float32)
    own = np.where(numbers >= 0, numbers, cosines.argmax(axis=1))
    typicality = np.asarray(cosines[np.arange(len(X)), own], np.float32)
    column, places = _places(opened, place)
    clusters = []
    for number, names in enumerate(_nearest_names(opened, middles)):
        inside = np.flatnonzero(numbers == number)
        inside = rows[inside[np.argsort(-typicality[inside], kind="stable")]]
        clusters.append(_describe(opened, number, inside, names, places))
    return Clustering(rows, numbers, typicality, tuple(clusters), chosen, column)


def cluster_middles(X: Single, numbers: Indices) -> Single:
    """Return the mean of each cluster's rows, scaled to length 1; -1 is no cluster."""
    n = int(numbers.max(initial=-1)) + 1
    sums = np.zeros((n, X.shape[1]), np.float32)
    np.add.at(sums, numbers[numbers >= 0], X[numbers >= 0])
    return np.asarray(unit_rows(sums), np.float32)


def _rows_to_cluster(store: Store, where: Sequence[str], *, everything: bool) -> Indices:
    rows = filtered_rows(store, where)
    unlabelled = rows[store.labels[rows] < 0]
    if len(unlabelled) and not everything:
        rows = unlabelled
    if len(rows) < 2:
        raise DataError(f"clusters need two rows or more, not {len(rows)}")
    return rows


def _chosen_method(method: Method, n_clusters: int | None, n_rows: int) -> str:
    if method not in METHODS:
        raise InputError(f"no method {method!r}; there are {', '.join(METHODS)}")
    if n_clusters is not None and n_clusters < 1:
        raise InputError(f"n_clusters={n_clusters} must be at least 1")
    if method == "auto":
        method = "evoc" if n_clusters is None and find_spec("evoc") else "kmeans"
    return "kmeans" if n_rows < 4 * SMALLEST else method


def _by_evoc(X: Single, *, n_clusters: int | None, seed: int) -> Indices:  # noqa: ARG001
    try:
        import evoc
    except ImportError as error:
        raise MissingExtraError("clustering by EVoC", "evoc", "explore") from error
    missing = max(0, _EVOC_DIM - X.shape[1])  # columns of 0 change no cosine
    X = np.pad(X, ((0, 0), (0, missing)))
    found = evoc.EVoC(base_min_cluster_size=SMALLEST, random_state=seed).fit_predict(X)
    return np.asarray(found, np.intp)


def _by_hdbscan(X: Single, *, n_clusters: int | None, seed: int) -> Indices:  # noqa: ARG001
    from sklearn.cluster import HDBSCAN
    from sklearn.decomposition import PCA

    # Densities mean nothing in hundreds of dimensions.
    dim = min(_DENSITY_DIM, *X.shape)
    reduced = unit_rows(PCA(dim, random_state=seed).fit_transform(X))
    found = HDBSCAN(min_cluster_size=SMALLEST, min_samples=3, copy=True).fit_predict(reduced)
    return np.asarray(found, np.intp)


def _by_kmeans(X: Single, *, n_clusters: int | None, seed: int) -> Indices:
    from sklearn.cluster import KMeans
    from sklearn.exceptions import ConvergenceWarning

    n = min(n_clusters or max(2, round((2 * len(X)) ** 0.5)), len(X))
    with warnings.catch_warnings():  # of fewer different rows than clusters: then there are fewer
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(KMeans(n, n_init=1, random_state=seed).fit_predict(X), np.intp)


_METHODS: dict[str, Any] = {"evoc": _by_evoc, "hdbscan": _by_hdbscan, "kmeans": _by_kmeans}


def _largest_first(numbers: Indices) -> Indices:
    found, counts = np.unique(numbers[numbers >= 0], return_counts=True)
    place = np.full(int(numbers.max(initial=-1)) + 2, -1)  # the last place is that of -1
    place[found[np.argsort(-counts, kind="stable")]] = np.arange(len(found))
    return np.asarray(place[numbers], np.intp)


def _places(store: Store, wanted: str | None) -> tuple[str, npt.NDArray[Any]]:
    columns = filter_columns(store)
    if wanted is not None and wanted not in columns:
        raise InputError(f"{str(store.path)!r} has {unknown_column(wanted, columns)}")
    name = wanted or ("site" if "site" in columns else "group")
    values = columns[name].astype(object)
    known = np.array([value == value and value != "" for value in values])  # noqa: PLR0124 - NaN
    return name if known.any() else "", np.where(known, values, "")


def _nearest_names(store: Store, middles: Single) -> list[tuple[str, ...]]:
    """Propose classes for each cluster: by labelled rows where there are any, else by names."""
    classes = store.classes
    if not classes or not len(middles):
        return [()] * len(middles)
    labelled = np.flatnonzero(store.labels >= 0)
    if len(labelled):
        own = np.asarray(unit_rows(store.embeddings(labelled)), np.float32)
        known = cluster_middles(own, np.asarray(store.labels[labelled], np.intp))
        known = np.concatenate([known, np.zeros((len(classes) - len(known), own.shape[1]))])
    elif store.text_keys:
        known = unit_rows(store.text(store.text_keys[0]).features)
    else:
        return [()] * len(middles)
    best = np.argsort(-(middles @ known.T), axis=1, kind="stable")[:, :_PROPOSED]
    return [tuple(classes[k] for k in row) for row in best]


def _describe(
    store: Store, number: int, rows: Indices, names: tuple[str, ...], places: npt.NDArray[Any]
) -> Cluster:
    labels = Counter(store.classes[label] for label in store.labels[rows] if label >= 0)
    proposed = dict.fromkeys([name for name, _ in labels.most_common(_PROPOSED)] + [*names])
    here = Counter(str(place) for place in places[rows] if place != "")
    place, n = here.most_common(1)[0] if here else ("", 0)
    return Cluster(
        number=number,
        rows=rows,
        labels=tuple(labels.most_common()),
        proposed=tuple(proposed)[:_PROPOSED],
        place=place,
        place_share=n / sum(here.values()) if here else float("nan"),
        n_places=len(here),
    )
