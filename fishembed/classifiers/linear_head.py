"""The paper's head: one linear layer, trained by minibatches."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array, check_consistent_length

from fishembed.classifiers.base import Floats, LinearClassifier, Normalize
from fishembed.errors import DimensionError, InputError

if TYPE_CHECKING:
    import torch


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
    val_loss, val_accuracy
        The same over the validation rows; None where there are none. Rows of a class that is not
        in the training set count as wrong and stay out of the loss.
    """

    epoch: int
    train_loss: float
    train_accuracy: float
    val_loss: float | None = None
    val_accuracy: float | None = None


class LinearHead(LinearClassifier):
    """A linear layer under softmax cross-entropy, trained by Adam in shuffled minibatches.

    The same data, parameters and seed give the same bytes on one machine; torch's global random
    state is neither read nor changed.

    Parameters
    ----------
    epochs
        Passes over the training rows; 7 (the default) is the paper's recipe.
    batch_size
        Rows in a step.
    learning_rate, weight_decay
        Adam's; the decay is an L2 penalty added to the gradient.
    normalize
        ``"none"`` (the default) takes rows as the encoder gave them; ``"l2"`` scales every row to
        length 1 first, on which seven epochs of Adam underfit: on 1,753 photos of 23 species
        0.43 of the test images right instead of 0.82.
    device
        Any name torch knows: ``"cpu"`` (the default), ``"cuda"``, ``"cuda:1"``, ``"mps"``.
    random_state
        Seed of the first weights and of the shuffling; an int (the default 0), a
        ``numpy.random.RandomState`` or None.

    Attributes
    ----------
    classes_ : ndarray
        (n_classes,) sorted labels.
    coef_ : ndarray
        float32 (n_classes, dim).
    intercept_ : ndarray
        float32 (n_classes,).
    n_features_in_ : int
        dim.
    n_iter_ : int
        Epochs trained.
    history_ : list of Epoch
        Scores after every epoch.

    Notes
    -----
    Adam: Kingma and Ba 2015, algorithm 1. The linear probe of frozen vectors: Radford et al.
    2021, section 3.2.
    """

    def __init__(
        self,
        *,
        epochs: int = 7,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        weight_decay: float = 0.0,
        normalize: Normalize = "none",
        device: str = "cpu",
        random_state: int | np.random.RandomState | None = 0,
    ) -> None:
        self.epochs = epochs
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.normalize = normalize
        self.device = device
        self.random_state = random_state

    def fit(
        self,
        X: npt.ArrayLike,
        y: npt.ArrayLike,
        X_val: npt.ArrayLike | None = None,
        y_val: npt.ArrayLike | None = None,
    ) -> LinearHead:
        """Train the layer.

        Parameters
        ----------
        X, y
            (n_images, dim) vectors and (n_images,) labels, numbers or strings.
        X_val, y_val
            The same for validation rows: they are scored after every epoch, nothing else.

        Raises
        ------
        DimensionError
            `X_val` has another width than `X`.
        InputError
            Fewer than two classes, or a parameter that cannot be used.
        """
        self._check_parameters()
        rows, codes = self._training_rows(X, y)
        train = self._tensors(rows, codes)
        val = self._validation_tensors(X_val, y_val)
        with _one_thread():
            layer = _train(self, train, val, len(self.classes_))
        self.coef_ = layer.weight.detach().cpu().numpy().copy()
        self.intercept_ = layer.bias.detach().cpu().numpy().copy()
        self.n_iter_ = self.epochs
        return self

    def _check_parameters(self) -> None:
        for name in ("epochs", "batch_size"):
            if getattr(self, name) < 1:
                raise InputError(f"{name}={getattr(self, name)!r} must be at least 1.")
        if not self.learning_rate > 0:
            raise InputError(f"learning_rate={self.learning_rate!r} must be above 0.")

    def _tensors(
        self, rows: Floats, codes: npt.NDArray[np.intp]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        scaled = np.ascontiguousarray(self._scaled(rows), dtype=np.float32)
        if not scaled.flags.writeable:  # torch warns of arrays it could not write to
            scaled = scaled.copy()
        return (
            torch.from_numpy(scaled).to(self.device),
            torch.from_numpy(codes.astype(np.int64)).to(self.device),
        )

    def _validation_tensors(
        self, X_val: npt.ArrayLike | None, y_val: npt.ArrayLike | None
    ) -> tuple[torch.Tensor, torch.Tensor] | None:
        if X_val is None or y_val is None:
            if X_val is not y_val:
                raise InputError("pass X_val and y_val together, or neither.")
            return None
        rows = check_array(X_val, dtype=[np.float32, np.float64], input_name="X_val")
        if rows.shape[1] != self.n_features_in_:
            raise DimensionError(
                f"X_val is {rows.shape}, X has {self.n_features_in_} columns: "
                "encode both with the same encoder."
            )
        labels = np.asarray(y_val)
        check_consistent_length(rows, labels)
        position = {label: i for i, label in enumerate(self.classes_.tolist())}
        codes = np.array([position.get(label, -1) for label in labels.tolist()], dtype=np.intp)
        return self._tensors(rows, codes)


@contextmanager
def _one_thread() -> Iterator[None]:
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


def _train(
    head: LinearHead,
    train: tuple[torch.Tensor, torch.Tensor],
    val: tuple[torch.Tensor, torch.Tensor] | None,
    n_classes: int,
) -> torch.nn.Linear:
    import torch

    X, y = train
    seed = check_random_state(head.random_state).randint(np.iinfo(np.int32).max)
    generator = torch.Generator().manual_seed(int(seed))
    layer = _fresh_layer(X.shape[1], n_classes, generator).to(X.device)
    optimizer = torch.optim.Adam(
        layer.parameters(), lr=head.learning_rate, weight_decay=head.weight_decay
    )
    head.history_ = []
    for epoch in range(1, head.epochs + 1):
        order = torch.randperm(len(X), generator=generator).to(X.device)
        for batch in torch.split(order, head.batch_size):
            optimizer.zero_grad()
            loss = torch.nn.functional.cross_entropy(layer(X[batch]), y[batch])
            torch.autograd.backward(loss)
            optimizer.step()
        val_scores: tuple[Any, Any] = (None, None) if val is None else _scores(layer, *val)
        head.history_.append(Epoch(epoch, *_scores(layer, X, y), *val_scores))
    return layer


def _fresh_layer(dim: int, n_classes: int, generator: torch.Generator) -> torch.nn.Linear:
    """Start as `torch.nn.Linear` does, from a generator of its own."""
    import torch

    layer = torch.nn.Linear(dim, n_classes, device="meta").to_empty(device="cpu")
    bound = dim**-0.5
    with torch.no_grad():
        layer.weight.uniform_(-bound, bound, generator=generator)
        layer.bias.uniform_(-bound, bound, generator=generator)
    return layer


def _scores(layer: torch.nn.Linear, X: torch.Tensor, y: torch.Tensor) -> tuple[float, float]:
    import torch

    with torch.no_grad():
        logits = layer(X)
        known = y >= 0
        loss = torch.nn.functional.cross_entropy(logits[known], y[known])
        return float(loss), float((logits.argmax(1) == y).double().mean())
