"""Check for outliers: images whose features lie far from every class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import BLOCK, Double, unit_rows
from fishembed._base.text import counted
from fishembed.audit.check import Action, AuditData, Block, CheckResult, Section, Table, register
from fishembed.audit.similar_rows import Features
from fishembed.cache import FeatureStore

OUTLIERS_CSV = "outliers.csv"
URGENCY = 40
_SHOWN = 18
_FENCE = 3.0


@dataclass(frozen=True)
class Outlier:
    """One image that is far from every class."""

    row: int  # The image
    distance: float  # To the class it is nearest to, in that class's spreads: 1 is ordinary
    nearest: int  # Number of that class, -1 where nothing is labelled


@dataclass(frozen=True)
class Outliers(CheckResult):
    """Images far from every class, and the distance from which they count as far."""

    found: tuple[Outlier, ...]  # Farthest first
    # The distance beyond which an image is listed: the upper quartile and three times the
    # distance between the quartiles, Tukey's "far out"
    fence: float
    median: float  # The ordinary distance

    def summary(self) -> dict[str, Any]:
        """Return the number of outliers and the fence."""
        return {"outliers": {"found": len(self.found), "fence": self.fence}}

    def sentences(self, classes: Sequence[str]) -> list[str]:  # noqa: ARG002
        """Return the number of outliers and the fence."""
        return [
            f"outliers: {counted(len(self.found), 'image')} beyond {self.fence:.2f} spreads of "
            f"every class (ordinary is {self.median:.2f})"
        ]

    def tables(self, store: FeatureStore) -> list[Table]:
        """Return the table that lists all outliers."""
        reasons = [
            (one.row, "outlier", f"{one.distance:.2f} spreads from the nearest class")
            for one in self.found
        ]
        return [outlier_table(store, reasons)]

    def section(self, store: FeatureStore, classes: Sequence[str]) -> Section:
        """Show the farthest images."""
        about = (
            "These photos look like none of the species: how far a photo's features lie from its "
            f"nearest species, in that species' own spreads. Ordinary photos lie at "
            f"{self.median:.2f}, those listed beyond {self.fence:.2f}."
        )
        images = (
            Block.image(
                store,
                one.row,
                ("labelled", classes[store.labels[one.row]]),
                ("nearest to", classes[one.nearest]) if one.nearest >= 0 else ("",),
                (f"{one.distance:.2f} spreads away",),
                guesses=[store.classes[one.nearest]] if one.nearest >= 0 else (),
            )
            for one in self.found[:_SHOWN]
        )
        n = len(self.found)
        blocks = [Block("heading", "Like none of the species"), Block("text", about)]
        blocks += Block.gallery(images, n, OUTLIERS_CSV, "None.")
        actions = [Action(f"look at {counted(n, 'unusual photo')}", URGENCY)] if n else []
        return unusual_section(blocks, actions)


def unusual_section(blocks: list[Block], actions: list[Action]) -> Section:
    """Return a part of the section that all checks for strange images share."""
    return Section("unusual", "Unusual photos", blocks, actions)


def outlier_table(store: FeatureStore, reasons: Sequence[tuple[int, str, str]]) -> Table:
    """Return rows for the table that all checks for strange images share.

    `reasons` are (row, kind, reason as text).
    """
    rows = [(*Table.cells(store, row), kind, reason) for row, kind, reason in reasons]
    return Table.to_review(OUTLIERS_CSV, ("path", "split", "label", "kind", "reason"), rows)


@register("outliers", position=30)
def check_outliers(data: AuditData) -> Outliers:
    """Find the store's outliers."""
    store = data.store
    return find_outliers(store.features, store.labels, len(store.classes))


def find_outliers(features: Features, labels: npt.NDArray[np.int32], n_classes: int) -> Outliers:
    """Measure how far each image is from every class, relative to the class's spread.

    Distances are between embeddings scaled to length 1. A class's spread is the root mean square
    distance of its images from their mean, drawn towards the mean spread of all classes where it
    has few. An image's own share in its class's mean is removed. `labels` are int32 (n,), -1 for
    none; where no image has one, all are one class.

    References
    ----------
    Tukey (1977). Exploratory Data Analysis, section 2D.
    """
    named = bool((labels >= 0).any())
    codes = labels if named else np.zeros(len(labels), np.int32)
    classes = _class_spreads(features, codes, max(n_classes, 1))
    distance = np.empty(len(codes))
    nearest = np.empty(len(codes), np.intp)
    for start in range(0, len(codes), BLOCK):
        at = slice(start, start + BLOCK)
        relative = _relative_distances(
            unit_rows(features[start : start + BLOCK]), codes[at], *classes
        )
        nearest[at], distance[at] = relative.argmin(axis=1), relative.min(axis=1)
    low, median, high = np.quantile(distance, [0.25, 0.5, 0.75])
    fence = float(high + _FENCE * (high - low))
    rows = np.flatnonzero(distance > fence)
    found = [
        Outlier(int(i), float(distance[i]), int(nearest[i]) if named else -1)
        for i in rows[np.argsort(-distance[rows], kind="stable")]
    ]
    return Outliers(tuple(found), fence, float(median))


def _class_spreads(
    features: Features, codes: npt.NDArray[np.int32], n_classes: int
) -> tuple[Double, Double, Double]:
    """Return each class's number of rows, mean and spread."""
    sums, squares = np.zeros((n_classes, features.shape[1])), np.zeros(n_classes)
    for start in range(0, len(codes), BLOCK):
        inside = codes[start : start + BLOCK] >= 0
        mine = codes[start : start + BLOCK][inside]
        block = unit_rows(features[start : start + BLOCK])[inside].astype(float)
        np.add.at(sums, mine, block)
        np.add.at(squares, mine, np.einsum("ij,ij->i", block, block))
    counts = np.bincount(codes[codes >= 0], minlength=n_classes).astype(float)
    means = sums / np.maximum(counts, 1)[:, None]
    squares -= np.einsum("ij,ij->i", sums, means)
    degrees = np.maximum(counts - 1, 0)
    pooled = squares.sum() / max(degrees.sum(), 1)
    return counts, means, np.sqrt(np.maximum((squares + pooled) / (degrees + 1), 1e-12))


def _relative_distances(
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
    # Without its own share the mean is n / (n - 1) times as far; a single row has no distance.
    distances[inside, codes[inside]] *= own / np.maximum(own - 1, 1)
    alone = inside[own == 1]
    distances[alone, codes[alone]] = np.inf
    return np.asarray(np.where(counts > 0, distances / spreads, np.inf))
