"""The linear layer's minibatches, in memory or read by chunks, and its training in torch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Codes, Single
from fishembed.classifiers.chunked_rows import ChunkedRows, prefetch

if TYPE_CHECKING:
    import torch

_BETA1, _BETA2 = 0.9, 0.999
_EPSILON = 1e-8
_LOGITS = 2**25
"""Logits that are computed at once when an epoch is scored: 134 MB."""


RUN = 1024
"""Neighbouring rows that are read together: a megabyte of 512 float16."""
RUNS_AT_ONCE = 64
"""Runs that are shuffled among each other: 65,536 rows, 128 MB of 512 float32."""


@dataclass(frozen=True)
class Epoch:
    """Scores after one pass over the training rows.

    Attributes
    ----------
    epoch
        1 for the first.
    train_loss, train_accuracy
        Mean cross-entropy in nats and share of rows classified correctly, over the whole training
        set with the weights as they stand after the epoch.
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


class Adam:
    """Adam with torch's defaults; its steps are those of `torch.optim.Adam`.

    Constructing torch's own loads its compiler: 1.1 s (measured November 2026), as long as the
    import of torch itself, for nothing that a linear layer needs. The parameters are changed in
    place; the learning rate may be changed between steps, and the L2 penalty `weight_decay` is
    added to the gradient.

    Notes
    -----
    Kingma and Ba 2015, "Adam: A Method for Stochastic Optimization", algorithm 1.
    """

    def __init__(
        self, parameters: Sequence[torch.Tensor], learning_rate: float, weight_decay: float
    ) -> None:
        import torch

        self.learning_rate = learning_rate
        self._parameters = list(parameters)
        self._weight_decay = weight_decay
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._n_steps = 0

    def step(self, loss: torch.Tensor) -> None:
        """Change the parameters by one step down the gradient of `loss`."""
        import torch

        self._n_steps += 1
        size = self.learning_rate / (1 - _BETA1**self._n_steps)
        correction = (1 - _BETA2**self._n_steps) ** 0.5
        gradients = torch.autograd.grad(loss, self._parameters)
        with torch.no_grad():
            for parameter, slope, mean, square in zip(
                self._parameters, gradients, self._means, self._squares, strict=True
            ):
                decay = self._weight_decay
                gradient = slope.add(parameter, alpha=decay) if decay else slope
                mean.lerp_(gradient, 1 - _BETA1)
                square.mul_(_BETA2).addcmul_(gradient, gradient, value=1 - _BETA2)
                scale = (square.sqrt() / correction).add_(_EPSILON)
                parameter.addcdiv_(mean, scale, value=-size)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Run torch on one thread inside a ``with`` block.

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
    rows: InMemoryRows | StreamedRows,
    val: InMemoryRows | None,
    offsets: torch.Tensor,
    *,
    epochs: int,
    batch_size: int,
    learning_rate: float,
    weight_decay: float,
    cosine: bool,
    patience: int | None,
    seed: int,
) -> tuple[torch.nn.Linear, list[Epoch]]:
    """Train a linear layer as `LinearHead` describes.

    The (n_classes,) offsets are added to the logits while training, not after. Returns the layer
    after the last epoch, or with patience after the best one, and the scores.
    """
    import torch

    generator = torch.Generator().manual_seed(seed)
    layer = _initial_layer(rows.dim, len(offsets), generator).to(rows.device)
    optimizer = Adam([*layer.parameters()], learning_rate, weight_decay)
    history: list[Epoch] = []
    best, best_epoch = layer.state_dict(), 0
    for epoch in range(1, epochs + 1):
        if cosine:
            share = (1 + math.cos(math.pi * (epoch - 1) / epochs)) / 2
            optimizer.learning_rate = learning_rate * share
        for X, codes in rows.batches(batch_size, generator):
            optimizer.step(torch.nn.functional.cross_entropy(layer(X) + offsets, codes))
        history.append(_score_epoch(epoch, layer, rows, val))
        if patience is None or _recall(history[-1]) > max(map(_recall, history[:-1]), default=-1):
            best = {name: tensor.clone() for name, tensor in layer.state_dict().items()}
            best_epoch = epoch
        elif epoch - best_epoch >= patience:
            break
    layer.load_state_dict(best)
    return layer, history


def _recall(epoch: Epoch) -> float:
    return epoch.val_macro_recall if epoch.val_macro_recall is not None else -1.0


def _initial_layer(dim: int, n_classes: int, generator: torch.Generator) -> torch.nn.Linear:
    """Initialise as `torch.nn.Linear` does, from a generator of its own."""
    import torch

    layer = torch.nn.Linear(dim, n_classes, device="meta").to_empty(device="cpu")
    bound = dim**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def _score_epoch(
    epoch: int,
    layer: torch.nn.Linear,
    rows: InMemoryRows | StreamedRows,
    val: InMemoryRows | None,
) -> Epoch:
    train_loss, hits = _loss_and_hits(layer, rows)
    if val is None:
        return Epoch(epoch, train_loss, float(hits.mean()))
    val_loss, val_hits = _loss_and_hits(layer, val)
    _, label = np.unique(val.labels, return_inverse=True)
    recalls = np.bincount(label, val_hits) / np.bincount(label)
    means = float(hits.mean()), val_loss, float(val_hits.mean()), float(recalls.mean())
    return Epoch(epoch, train_loss, *means)


def _blocks(
    rows: InMemoryRows | StreamedRows, n_classes: int
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield rows in blocks whose logits fit in memory, however many classes there are."""
    size = max(1, _LOGITS // n_classes)
    for X, codes in rows.chunks():
        for start in range(0, len(X), size):
            yield X[start : start + size], codes[start : start + size]


def _loss_and_hits(
    layer: torch.nn.Linear, rows: InMemoryRows | StreamedRows
) -> tuple[float, npt.NDArray[np.float64]]:
    import torch

    losses, n_known, hits = [], [], []
    with torch.no_grad():
        for X, codes in _blocks(rows, layer.out_features):
            logits = layer(X)
            known = codes >= 0
            n_known.append(int(known.sum()))
            of_known = torch.nn.functional.cross_entropy(logits[known], codes[known])
            losses.append(float(of_known) if n_known[-1] else 0.0)
            hits.append((logits.argmax(1) == codes).double().cpu().numpy())
    if len(hits) == 1:
        return losses[0], hits[0]
    return float(np.average(losses, weights=n_known)), np.concatenate(hits)


@dataclass(frozen=True)
class InMemoryRows:
    """Rows as tensors on the device that trains."""

    X: torch.Tensor  # float32 (n, dim)
    codes: torch.Tensor  # int64 (n,) positions of the classes, -1 for a class that is not trained
    labels: Codes  # (n,) numbers of the classes, also of those not trained

    @property
    def dim(self) -> int:
        """Width of the rows."""
        return int(self.X.shape[1])

    @property
    def device(self) -> torch.device:
        """Device of the rows."""
        return self.X.device

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: rows and codes."""
        import torch

        order = torch.randperm(len(self.X), generator=generator).to(self.X.device)
        for batch in torch.split(order, size):
            yield self.X[batch], self.codes[batch]

    def chunks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows at once."""
        yield self.X, self.codes


class StreamedRows:
    """Rows that are read chunk by chunk, with the interface of `InMemoryRows`.

    Every epoch reads the runs of neighbouring rows in a new random order, and shuffles the
    rows of 64 runs among each other. That is as good as a full shuffle where rows are in no
    order, and mixes 64 places of the store where they lie by class.
    """

    def __init__(self, rows: ChunkedRows, codes: Codes, device: str) -> None:
        self._rows = rows
        self.device = device
        self.labels = codes
        self.dim = rows.dim

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: rows and codes."""
        import torch

        starts = np.arange(0, len(self._rows), RUN)
        order = starts[torch.randperm(len(starts), generator=generator).numpy()]
        groups = np.split(order, range(RUNS_AT_ONCE, len(order), RUNS_AT_ONCE))
        for rows, codes in prefetch(partial(self._read, group) for group in groups):
            mixed = torch.randperm(len(codes), generator=generator)
            X, y = self._tensors(rows[mixed.numpy()], codes[mixed.numpy()])
            yield from zip(torch.split(X, size), torch.split(y, size), strict=True)

    def chunks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows once, in order."""
        spans = self._rows.spans()
        chunks = prefetch(partial(self._rows.read, *span) for span in spans)
        for (start, stop), rows in zip(spans, chunks, strict=True):
            yield self._tensors(rows, self.labels[start:stop])

    def _read(self, starts: Codes) -> tuple[Single, Codes]:
        spans = [(int(start), min(int(start) + RUN, len(self._rows))) for start in starts]
        rows = np.concatenate([self._rows.read(*span) for span in spans])
        return rows, np.concatenate([self.labels[start:stop] for start, stop in spans])

    def _tensors(self, rows: Single, codes: Codes) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        X, y = torch.from_numpy(rows), torch.from_numpy(codes.astype(np.int64))
        return X.to(self.device), y.to(self.device)
