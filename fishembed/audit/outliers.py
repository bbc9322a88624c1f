"""Pictures whose vector lies far from every class."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import unit_rows
from fishembed.audit.search import BLOCK, Features

_FENCE = 3.0


@dataclass(frozen=True)
class Outlier:
    """One picture that is far out.

    Attributes
    ----------
    row
        The picture.
    distance
        To the class it is nearest to, in that class's spreads: 1 is ordinary.
    nearest
        Number of that class, -1 where nothing is labelled.
    """

    row: int
    distance: float
    nearest: int


@dataclass(frozen=True)
class Outliers:
    """Who is far out, and what that means here.

    Attributes
    ----------
    found
        Farthest first.
    fence
        The distance beyond which a picture is listed: the upper quartile and three times the
        distance between the quartiles, Tukey's "far out".
    median
        The ordinary distance.
    """

    found: tuple[Outlier, ...]
    fence: float
    median: float


def find_outliers(features: Features, labels: npt.NDArray[np.int32], n_classes: int) -> Outliers:
    """Measure how far each picture is from every class, relative to the class's spread.

    Distances are between vectors of length 1. A class's spread is the root mean square
    distance of its images from their mean, drawn towards the mean spread of all classes
    where it has few. A picture's own share in its class's mean is taken out.

    Parameters
    ----------
    features
        (n, dim), read block by block.
    labels
        int32 (n,), -1 for none.
    n_classes
        Number of classes; where none has an image all pictures are one class.

    References
    ----------
    Tukey (1977). Exploratory Data Analysis, section 2D.
    """
    known = labels >= 0
    named = bool(known.any())
    codes = labels if named else np.zeros(len(labels), np.int32)
    counts, means = _means(features, codes, max(n_classes, 1))
    spreads = _spreads(features, codes, counts, means)
    distance = np.empty(len(codes))
    nearest = np.empty(len(codes), np.intp)
    for start in range(0, len(codes), BLOCK):
        block = unit_rows(features[start : start + BLOCK])
        relative = _relative(block, codes[start : start + BLOCK], counts, means, spreads)
        nearest[start : start + BLOCK] = relative.argmin(axis=1)
        distance[start : start + BLOCK] = relative.min(axis=1)
    low, median, high = np.quantile(distance, [0.25, 0.5, 0.75])
    fence = float(high + _FENCE * (high - low))
    rows = np.flatnonzero(distance > fence)
    found = [
        Outlier(int(i), float(distance[i]), int(nearest[i]) if named else -1)
        for i in rows[np.argsort(-distance[rows], kind="stable")]
    ]
    return Outliers(tuple(found), fence, float(median))


Double = npt.NDArray[np.float64]


def _means(features: Features, codes: npt.NDArray[np.int32], k: int) -> tuple[Double, Double]:
    counts = np.bincount(codes[codes >= 0], minlength=k).astype(float)
    sums = np.zeros((k, features.shape[1]))
    for start in range(0, len(codes), BLOCK):
        mine = codes[start : start + BLOCK]
        np.add.at(sums, mine[mine >= 0], unit_rows(features[start : start + BLOCK])[mine >= 0])
    return counts, sums / np.maximum(counts, 1)[:, None]


def _spreads(
    features: Features, codes: npt.NDArray[np.int32], counts: Double, means: Double
) -> Double:
    squares = np.zeros(len(counts))
    for start in range(0, len(codes), BLOCK):
        mine = codes[start : start + BLOCK]
        inside = mine >= 0
        off = unit_rows(features[start : start + BLOCK])[inside] - means[mine[inside]]
        np.add.at(squares, mine[inside], np.einsum("ij,ij->i", off, off))
    degrees = np.maximum(counts - 1, 0)
    pooled = squares.sum() / max(degrees.sum(), 1)
    return np.asarray(np.sqrt(np.maximum((squares + pooled) / (degrees + 1), 1e-12)))


def _relative(
    block: npt.NDArray[np.float32],
    codes: npt.NDArray[np.int32],
    counts: Double,
    means: Double,
    spreads: Double,
) -> Double:
    lengths = np.einsum("ij,ij->i", block, block)[:, None]
    squares = lengths - 2 * block @ means.T + np.einsum("ij,ij->i", means, means)
    distances = np.sqrt(np.maximum(squares, 0))
    inside = np.flatnonzero(codes >= 0)
    own = counts[codes[inside]]
    # Without its own share the mean is n / (n - 1) times as far; alone a row says nothing.
    distances[inside, codes[inside]] *= own / np.maximum(own - 1, 1)
    alone = inside[own == 1]
    distances[alone, codes[alone]] = np.inf
    return np.asarray(np.where(counts > 0, distances / spreads, np.inf))
