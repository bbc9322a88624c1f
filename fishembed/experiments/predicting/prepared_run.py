"""A run prepared for prediction, read once: head, held-out scores, training images."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import nearest_rows, unit_rows
from fishembed.cache import Store
from fishembed.classifiers import SavedHead
from fishembed.errors import StoreMismatchError
from fishembed.experiments.held_out import HELD_OUT_NPZ, HeldOut
from fishembed.experiments.runs.run_documents import check_file
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.train_test_split import train_test_split

_ROWS_AT_ONCE = 2048
"""A square matrix of them, its indices and its order are some hundred megabytes."""

_IN_MEMORY = 256 << 20
"""Bytes of features up to which they stay in memory."""

Features = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Neighbour:
    """A training image near an image.

    Attributes
    ----------
    path, label
        As the store names it, and its class.
    similarity
        Cosine between the two embeddings, -1 to 1.
    """

    path: str
    label: str
    similarity: float


@dataclass(frozen=True)
class TrainingImages:
    """The training images of a run's head, as rows of the run's own store.

    `read` returns the features of the first-th to the last-th of them.
    """

    store: Store
    rows: npt.NDArray[np.intp]
    read: Callable[[int, int], Features]

    @classmethod
    def of(cls, run: Run, *, fetch: bool = False) -> TrainingImages:
        """Find a run's training images; features up to a few hundred megabytes stay in memory.

        `fetch` downloads a store that lies at a URL.

        Raises
        ------
        StoreNotFoundError
            When the store is no longer where it was.
        StoreMismatchError
            When it has changed since the run was made.
        """
        store = run.open_store(fetch=fetch)
        if store.fingerprint != run.info["store"]["fingerprint"]:
            raise StoreMismatchError(
                f"{str(store.path)!r} has changed since the run {run.name!r} was made, so it no "
                "longer tells what the head learnt from: fit again"
            )
        split, series = run.info["scored_split"], run.info.get("series") or {}
        if split == "holdout" and series:  # all but what was scored, whichever seed drew it
            scored = set(run.result.images.paths)
            rows = np.array([i for i in store.split_rows("all") if store.paths[i] not in scored])
        else:
            named = None if split == "holdout" else split
            seed = series.get("split_seed", run.info["seed"])
            rows = train_test_split(store, named, seed).train
        if 4 * len(rows) * store.width(run.features) > _IN_MEMORY:
            return cls(store, rows, lambda i, j: store.embeddings(rows[i:j], run.features))
        X = np.asarray(unit_rows(store.embeddings(rows, run.features)), np.float32)
        return cls(store, rows, lambda i, j: X[i:j])

    def nearest(self, X: Features, n: int) -> list[tuple[Neighbour, ...]]:
        """Find the `n` nearest to each of (n_images, dim) embeddings by cosine, nearest first."""
        found, cosines = nearest_rows(X, self.read, len(self.rows), n, block=_ROWS_AT_ONCE)
        paths, labels, classes = self.store.paths, self.store.labels, self.store.classes
        return [
            tuple(
                Neighbour(paths[row], classes[labels[row]], cosine)
                for row, cosine in zip(rows, similarities, strict=True)
            )
            for rows, similarities in zip(self.rows[found].tolist(), cosines.tolist(), strict=True)
        ]


@dataclass(frozen=True)
class PreparedRun:
    """A run whose files are read once, when they are first needed.

    `fetch` is whether a store that lies at a URL is downloaded.
    """

    run: Run
    fetch: bool = False

    @cached_property
    def head(self) -> SavedHead:
        """The head as it was saved."""
        return self.run.load_head()

    @cached_property
    def calibrated(self) -> SavedHead:
        """The head with its logits divided by the temperature."""
        return self.head.calibrated()

    @cached_property
    def held_out(self) -> HeldOut | None:
        """Scores of held-out training images; None where the run has none."""
        check_file(self.run.folder, self.run.info, HELD_OUT_NPZ)
        place = self.run.folder / HELD_OUT_NPZ
        return HeldOut.load(place) if place.is_file() else None

    @cached_property
    def training_images(self) -> TrainingImages:
        """The training images, see `TrainingImages.of`."""
        return TrainingImages.of(self.run, fetch=self.fetch)
