"""From 1,000 known directions to a direction for any name: Gaussian process regression.

Two things are near when they share ancestors in WordNet, and when MiniLM finds their
names and definitions alike. How much each kind of nearness counts is fitted by marginal
likelihood; with 1,280 outputs to explain there is little room to overfit 20 numbers.
Source: Rasmussen & Williams (2006), Gaussian Processes for Machine Learning, eq. 2.30.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from text_tower.wordnet import Nouns

SIZES = (1, 2, 3, 5, 9, 17, 33, 65, 129, 400)
"""An ancestor counts by how many of the 1,000 classes are below it: lower bounds of bins."""
REACHES = (0.1, 0.25, 0.6)
_JITTER = 2e-5


@dataclass(frozen=True)
class Described:
    """Things to compare: their places in WordNet (or none) and vectors that describe them."""

    membership: np.ndarray | None
    vectors: tuple[np.ndarray, ...]

    def rows(self, rows: slice) -> Described:
        """Return some of the things."""
        member = None if self.membership is None else self.membership[rows]
        return Described(member, tuple(vectors[rows] for vectors in self.vectors))


class Ancestry:
    """Which of the known classes' ancestors a synset has."""

    def __init__(self, nouns: Nouns, classes: Sequence[str]) -> None:
        self._nouns = nouns
        self.below = Counter(above for key in classes for above in nouns.above(key))
        self._column = {key: column for column, key in enumerate(self.below)}
        sizes = np.array(list(self.below.values()))
        self.bins = np.searchsorted(SIZES, sizes, side="right") - 1

    def membership(self, keys: Sequence[str]) -> np.ndarray:
        """Return float32 (n_keys, n_ancestors), one where a key is a kind of the ancestor."""
        member = np.zeros((len(keys), len(self._column)), "f4")
        for row, key in enumerate(keys):
            columns = [self._column[a] for a in self._nouns.above(key) if a in self._column]
            member[row, columns] = 1
        return member


class DirectionModel:
    """Directions for described things, learnt from the known ones.

    Parameters
    ----------
    known
        The classes of the image classifier.
    rows
        Their directions, float32 (n, 1280).
    bins
        For each ancestor the bin of `SIZES` it falls into.
    """

    def __init__(self, known: Described, rows: np.ndarray, bins: np.ndarray) -> None:
        self._known, self._rows, self._bins = known, rows, bins
        parts = np.stack(self._parts(known))
        self.weights, self.noise = _fit(parts, rows)
        self._gram = np.tensordot(self.weights, parts, 1)
        self._answer = self._solve(np.arange(len(rows)))

    def _parts(self, others: Described) -> list[np.ndarray]:
        parts = []
        if others.membership is not None and self._known.membership is not None:
            for number in range(len(SIZES)):
                chosen = self._bins == number
                parts.append(others.membership[:, chosen] @ self._known.membership[:, chosen].T)
        for theirs, ours in zip(others.vectors, self._known.vectors, strict=True):
            parts += [np.exp((theirs @ ours.T - 1) / reach) for reach in REACHES]
        return parts

    def _solve(self, known: np.ndarray) -> np.ndarray:
        noisy = self._gram[np.ix_(known, known)] + self.noise * np.eye(len(known), dtype="f4")
        return np.linalg.solve(noisy, self._rows[known])

    def predict(self, others: Described, batch_size: int = 2000) -> np.ndarray:
        """Return the expected directions; the less is known of a thing, the shorter its one."""
        found = []
        n = len(others.vectors[0])
        for start in range(0, n, batch_size):
            parts = self._parts(others.rows(slice(start, start + batch_size)))
            found.append(sum(w * p for w, p in zip(self.weights, parts, strict=True)))
        return np.concatenate(found) @ self._answer

    def held_out(self, folds: int = 5, seed: int = 0) -> np.ndarray:
        """Predict each known class from the other folds' classes alone."""
        order = np.random.default_rng(seed).permutation(len(self._rows))
        guess = np.empty_like(self._rows)
        for fold in range(folds):
            hidden = order[fold::folds]
            known = np.setdiff1d(order, hidden)
            guess[hidden] = self._gram[np.ix_(hidden, known)] @ self._solve(known)
        return guess


def _fit(parts: np.ndarray, rows: np.ndarray, steps: int = 60) -> tuple[np.ndarray, float]:
    """Fit the parts' weights and the noise; they are variances of one number of a row."""
    stack, alike = torch.from_numpy(parts.astype("f4")), torch.from_numpy(rows @ rows.T)
    n, dim = rows.shape
    logs = torch.full((len(stack) + 1,), -9.0, requires_grad=True)
    optimiser = torch.optim.Adam([logs], 0.25)
    for _ in range(steps):
        weights, noise = logs[:-1].exp(), logs[-1].exp() + _JITTER
        gram = torch.tensordot(weights, stack, 1) + noise * torch.eye(n)
        factor = torch.linalg.cholesky(gram)
        fits = 0.5 * torch.cholesky_solve(alike, factor).trace()
        loss = dim * factor.diagonal().log().sum() + fits
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    logs = logs.detach()
    return logs[:-1].exp().numpy(), float(logs[-1].exp()) + _JITTER
