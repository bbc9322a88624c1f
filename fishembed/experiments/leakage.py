"""Scored images that the training rows have too: the same bytes, or nearly the same image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.text import listed
from fishembed.cache import FeatureKind, Store
from fishembed.evaluation.near_duplicates import CopyDetector, near_duplicate_threshold
from fishembed.experiments.train_test_split import TrainTestSplit

MOST_ROWS = 100_000
"""Rows of a store beyond which only bytes are compared: that takes no time."""


@dataclass(frozen=True)
class Leakage:
    """Numbers of scored images with a copy among the training rows.

    Attributes
    ----------
    scored
        Scored images.
    identical, near_duplicate
        Those whose bytes stand among the training rows, and others that are nearly the same.
    cosine
        From which two images are alike; None where only bytes were compared.
    same_scene
        Others that are no copies but alike: of one burst, or one place.
    """

    scored: int
    identical: int
    near_duplicate: int
    cosine: float | None
    same_scene: int = 0

    def warning(self, store: Store) -> str:
        """Return what a person should know and do; "" where nothing leaks."""
        n = self.identical + self.near_duplicate + self.same_scene
        if not n:
            return ""
        kinds = [(self.identical, "byte for byte"), (self.near_duplicate, "nearly")]
        kinds.append((self.same_scene, "of the same scene"))
        how = listed([f"{count:,} {kind}" for count, kind in kinds if count])
        near = " --group-duplicates" if self.near_duplicate or self.same_scene else ""
        return (
            f"warning: {n:,} of the {self.scored:,} scored images ({100 * n / self.scored:.1f}%) "
            f"{'has a copy' if n == 1 else 'have copies'} among the training rows ({how}), which "
            f"flatters the scores: 'fishembed split {store.path}{near}' makes splits that keep "
            "copies together"
        )


def find_leakage(
    store: Store,
    rows: TrainTestSplit,
    features: FeatureKind,
    X_train: npt.NDArray[np.float32],
    X_scored: npt.NDArray[np.float32],
) -> Leakage:
    """Count the scored images that have a copy among the training rows.

    Scored rows that are training rows themselves are left out: `split` asked for them.

    Parameters
    ----------
    store, rows, features
        The store, its rows, and which features are compared.
    X_train, X_scored
        Features of the training and of the scored rows.
    """
    other = ~np.isin(rows.scored, rows.train)
    digests = store.digests
    trained = {digests[row] for row in rows.train} - {""}
    identical = np.array([digests[row] in trained for row in rows.scored], bool) & other
    if len(store) > MOST_ROWS:
        return Leakage(int(other.sum()), int(identical.sum()), 0, None)
    all_rows = store.features if features == "image" else store.trunk
    threshold = near_duplicate_threshold(all_rows, store.labels, store.groups, hashes=store.hashes)
    unsure = other & ~identical
    detector = CopyDetector(threshold, store.hashes, store.groups)
    copied, alike = detector.find_among(rows.scored[unsure], X_scored[unsure], rows.train, X_train)
    near, scenes = int(copied.sum()), int(alike.sum())
    return Leakage(int(other.sum()), int(identical.sum()), near, threshold.cosine, scenes)
