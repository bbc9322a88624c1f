"""The training images that lie nearest to an image: evidence for a prediction."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.nearest import nearest_rows
from fishembed.errors import StoreMismatchError
from fishembed.experiments.runs.run_folder import Run
from fishembed.experiments.train_test_split import train_test_split

_ROWS_AT_ONCE = 2048
"""A square of them, its places and its order are some hundred megabytes."""

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


def nearest_training_images(
    run: Run, X: Features, n: int, *, fetch: bool = False
) -> list[tuple[Neighbour, ...]]:
    """Find the `n` nearest training images of each embedding by cosine, nearest first.

    Parameters
    ----------
    run
        The run whose training images are searched, in its own store.
    X
        float32 (n_images, dim).
    n
        Neighbours of each.
    fetch
        Whether a store that lies at a URL is fetched.

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
    split = run.info["scored_split"]
    train = train_test_split(store, None if split == "holdout" else split, run.info["seed"]).train
    found, cosines = nearest_rows(
        X,
        lambda start, stop: store.embeddings(train[start:stop], run.features),
        len(train),
        n,
        block=_ROWS_AT_ONCE,
    )
    return [
        tuple(
            Neighbour(store.paths[row], store.classes[store.labels[row]], cosine)
            for row, cosine in zip(rows, similarities, strict=True)
        )
        for rows, similarities in zip(train[found].tolist(), cosines.tolist(), strict=True)
    ]
