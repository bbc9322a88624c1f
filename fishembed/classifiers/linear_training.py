"""The training loop of the paper's head, in torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fishembed.classifiers.adam import Adam

if TYPE_CHECKING:
    import torch

    from fishembed.classifiers.linear_streaming import StreamedRows


@dataclass(frozen=True)
class Epoch:
    """Scores after one pass over the training rows.

    Attributes
    ----------
    epoch
        1 for the first.
    train_loss, train_accuracy
        Mean cross-entropy in nats and share of rows called right, over the whole training set
        with the weights as they stand after the epoch.
    val_loss, val_accuracy, val_macro_recall
        The same over the validation rows, and the mean recall of their classes; None where there
        are none. Rows of a class that is not in the training set count as wrong and stay out of
        the loss.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None
    val_macro_recall: float | None = None


@dataclass(frozen=True)
class Recipe:
    """How to train; see `LinearHead`."""

    epochs: int
    batch_size: int
    learning_rate: float
    weight_decay: float
    cosine: bool
    patience: int | None
    seed: int


@dataclass(frozen=True)
class Rows:
    """Vectors, positions of their classes (-1 for a class never trained), and their labels."""

    X: torch.Tensor
    codes: torch.Tensor
    labels: np.ndarray[tuple[int], np.dtype[np.intp]]

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return int(self.X.shape[1])

    @property
    def device(self) -> torch.device:
        """Where the rows are."""
        return self.X.device

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: vectors and classes."""
        import torch

        order = torch.randperm(len(self.X), generator=generator).to(self.X.device)
        for batch in torch.split(order, size):
            yield self.X[batch], self.codes[batch]

    def blocks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows at once."""
        yield self.X, self.codes


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread, then as before.

    Steps of 64 rows are too small to share: a second thread gains nothing, costs thirty times
    the time where cores are busy, and makes the bytes depend on the number of cores.
    """
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def train(
    recipe: Recipe, rows: Rows | StreamedRows, val: Rows | None, offsets: torch.Tensor
) -> tuple[torch.nn.Linear, list[Epoch]]:
    """Train a layer.

    Parameters
    ----------
    recipe
        How.
    rows, val
        Training and validation rows.
    offsets
        (n_classes,) added to the logits while training, not after.

    Returns
    -------
    Linear, list of Epoch
        The layer after the last epoch, or with patience after the best one; the scores.
    """
    import torch

    generator = torch.Generator().manual_seed(recipe.seed)
    layer = _fresh_layer(rows.dim, len(offsets), generator).to(rows.device)
    optimizer = Adam([*layer.parameters()], recipe.learning_rate, recipe.weight_decay)
    history: list[Epoch] = []
    best, best_epoch = layer.state_dict(), 0
    for epoch in range(1, recipe.epochs + 1):
        if recipe.cosine:
            share = (1 + math.cos(math.pi * (epoch - 1) / recipe.epochs)) / 2
            optimizer.learning_rate = recipe.learning_rate * share
        for X, codes in rows.batches(recipe.batch_size, generator):
            optimizer.step(torch.nn.functional.cross_entropy(layer(X) + offsets, codes))
        history.append(_epoch(epoch, layer, rows, val))
        if recipe.patience is None or _recall(history[-1]) > max(
            map(_recall, history[:-1]), default=-1
        ):
            best = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
            best_epoch = epoch
        elif epoch - best_epoch >= recipe.patience:
            break
    layer.load_state_dict(best)
    return layer, history


def _recall(epoch: Epoch) -> float:
    return epoch.val_macro_recall if epoch.val_macro_recall is not None else -1.0


def _fresh_layer(dim: int, n_classes: int, generator: torch.Generator) -> torch.nn.Linear:
    """Start as `torch.nn.Linear` does, from a generator of its own."""
    import torch

    layer = torch.nn.Linear(dim, n_classes, device="meta").to_empty(device="cpu")
    bound = dim**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def _epoch(
    epoch: int, layer: torch.nn.Linear, rows: Rows | StreamedRows, val: Rows | None
) -> Epoch:
    train_loss, hits = _scores(layer, rows)
    if val is None:
        return Epoch(epoch, train_loss, float(hits.mean()))
    val_loss, val_hits = _scores(layer, val)
    _, at = np.unique(val.labels, return_inverse=True)
    recalls = np.bincount(at, val_hits) / np.bincount(at)
    return Epoch(
        epoch,
        train_loss,
        float(hits.mean()),
        val_loss,
        float(val_hits.mean()),
        float(recalls.mean()),
    )


def _scores(
    layer: torch.nn.Linear, rows: Rows | StreamedRows
) -> tuple[float, np.ndarray[tuple[int], np.dtype[np.float64]]]:
    import torch

    losses, n_known, hits = [], [], []
    with torch.no_grad():
        for X, codes in rows.blocks():
            logits = layer(X)
            known = codes >= 0
            losses.append(float(torch.nn.functional.cross_entropy(logits[known], codes[known])))
            n_known.append(int(known.sum()))
            hits.append((logits.argmax(1) == codes).double().cpu().numpy())
    if len(hits) == 1:
        return losses[0], hits[0]
    return float(np.average(losses, weights=n_known)), np.concatenate(hits)
