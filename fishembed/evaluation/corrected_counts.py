"""Counts of images by class, corrected for a classifier's mistakes and its biased probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri, softmax

from fishembed._base.arrays import Double, Floats, Integers
from fishembed.errors import InputError

_ADDED = 0.5
"""Images of every class that are added to a catch, so that no share is 0."""

_STEPS, _CLOSE = 60, 1e-5
_CATCHES, _FEWEST_CATCHES = 60, 8
_CONCENTRATIONS = (5.0, 0.5, 0.1)
"""Of the Dirichlet distributions that simulated catches are drawn from: even to very uneven."""

_HELD_OUT_CELLS = 400_000
_WORK = 1_500_000_000
_CHUNK_CELLS = 4_000_000
_FIT_CELLS = 20_000_000
_PSEUDO_CHECKS = 5.0

_PSEUDO_ROWS = 3.0
"""Strength of the pull towards no bias: a class of fewer rows measures its own poorly."""

_MOST_CELLS = 500_000
_BIAS_STEPS, _BIAS_CLOSE = 200, 1e-3


@dataclass(frozen=True, eq=False)
class Counts:
    """Images of each class: expected number and interval, (n_classes,) each."""

    called: Integers  # Images whose most probable class this is
    expected: Double  # Corrected number
    # low, high: Ends of the interval, whole numbers
    low: Integers
    high: Integers


@dataclass(frozen=True, eq=False)
class HeldOutRows:
    """Rows of known class, by a classifier that had not learnt from them."""

    log_likelihoods: Floats  # (n, n_classes), see `corrected_counts`
    codes: Integers  # (n,) true classes
    # (n,) any values; rows of one group are not independent. None for every row its own.
    groups: Integers | None = None


def corrected_counts(
    called: npt.ArrayLike,
    log_likelihoods: Floats,
    held_out: HeldOutRows,
    truth: npt.ArrayLike | None = None,
    *,
    level: float = 0.95,
    seed: int = 0,
    width: float | None = None,
) -> Counts:
    """Count images by true class.

    The shares of the classes are those that make the images' probabilities most likely
    (expectation maximisation); the count of a class is the sum of its probabilities under these
    shares. How far such counts are off is simulated: catches of the same size and of many
    frequencies are drawn from the held-out rows, by group, and the interval is as many of the
    probabilities' own standard errors wide as hold the truth for `level` of the classes in these.
    Both hold where only frequencies changed, not the appearance of the classes.

    Parameters
    ----------
    called
        (n,) most probable class of each image.
    log_likelihoods
        (n, n_classes) log probabilities less the log shares of classes that they assume; a
        constant may be added to each row.
    held_out
        Rows that the intervals are simulated from.
    truth
        (n,) true class of the images that were checked, a random sample; -1 for the others.
    level
        Coverage of the intervals.
    seed
        Of the draws.
    width
        Result of `error_width`, where many catches of one size are counted; computed by default.

    Raises
    ------
    InputError
        When shapes do not fit, or there is no held-out row.

    References
    ----------
    Saerens, Latinne & Decaestecker (2002). Adjusting the outputs of a classifier to new a priori
    probabilities: a simple procedure. Neural Computation 14, 21-41. The sample that was checked
    corrects as in Angelopoulos et al. (2023). Prediction-powered inference. Science 382, 669-674.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> def rows(n_cod, n_eel):
    ...     codes = np.repeat([0, 1], [n_cod, n_eel])
    ...     return rng.normal(size=(n_cod + n_eel, 2)) + 2 * np.eye(2)[codes], codes
    >>> held_out = HeldOutRows(*rows(200, 200))
    >>> catch, _ = rows(300, 60)
    >>> found = corrected_counts(catch.argmax(axis=1), catch, held_out)
    >>> found.called.tolist(), bool(found.low[0] <= 300 <= found.high[0])
    ([284, 76], True)
    """
    z, first = np.asarray(log_likelihoods), np.asarray(called, np.intp)
    known = np.full(len(z), -1) if truth is None else np.asarray(truth, np.intp)
    _check(z, first, known, held_out)
    k, rng = z.shape[1], np.random.default_rng(seed)
    open_ = np.flatnonzero(known < 0)
    checked = np.bincount(known[known >= 0], minlength=k).astype(np.float64)
    shares = _shares(z[_some(open_, k, rng)], len(open_), checked)
    expected, variance = _sums(z[open_], shares)
    if width is None:
        width = error_width(held_out, len(open_), level=level, seed=seed)
    half = width * np.sqrt(variance + _ADDED) if len(open_) else np.zeros(k)
    if checked.any() and len(open_):
        expected, half = _with_checked(z, known, shares, (expected, variance, half), level)
    low = np.floor(np.clip(expected - half, 0, len(open_)) + checked + 0.5)
    high = np.ceil(np.clip(expected + half, 0, len(open_)) + checked - 0.5)
    return Counts(
        np.bincount(first, minlength=k),
        np.clip(expected + checked, low, high),
        low.astype(np.int64),
        high.astype(np.int64),
    )


def class_shares(log_likelihoods: Floats, added: float = _ADDED) -> Double:
    """Return the shares of classes that make images most likely; `added` are images of each class.

    Of (n, n_classes) log likelihoods as in `corrected_counts`. Without any added images, it is the
    maximum of the likelihood.
    """
    z = np.asarray(log_likelihoods)
    return _shares(z, len(z), np.zeros(z.shape[1]), added)


def _shares(z: Floats, n: int, checked: Double, added: float = _ADDED) -> Double:
    """Return the shares from some of `n` images, and from those that were checked."""
    p, k = _likelihoods(z), z.shape[1]
    weights = np.full((len(p), 1), n / max(1, len(p)), np.float32)
    shares = np.full((k, 1), 1 / k)
    for _ in range(_STEPS if len(p) else 0):
        sums = shares * (p.T @ (weights / (p @ shares.astype(np.float32))))
        new = sums + checked[:, None] + added
        new /= new.sum()
        moved, shares = np.abs(new - shares).max(), new
        if moved < _CLOSE:
            break
    return np.asarray(shares[:, 0])


def _sums(z: Floats, shares: Double) -> tuple[Double, Double]:
    """Return the sums over images of each class's probability, and of its variance."""
    expected, variance = np.zeros(len(shares)), np.zeros(len(shares))
    for part in _chunks(z):
        q = _posterior(part, shares)
        expected += q.sum(axis=0)
        variance += (q * (1 - q)).sum(axis=0)
    return expected, variance


def error_width(held_out: HeldOutRows, size: int, *, level: float = 0.95, seed: int = 0) -> float:
    """Return the error of the counts of simulated catches in their own standard errors.

    A share `level` of the counts of classes in catches of `size` images is off by less than that
    and half an image.
    """
    rng, size = np.random.default_rng(seed), max(1, size)
    k = held_out.log_likelihoods.shape[1]
    rows = _some(np.arange(len(held_out.codes)), k, rng, _HELD_OUT_CELLS)
    codes = held_out.codes[rows]
    groups = rows if held_out.groups is None else held_out.groups[rows]
    n = int(np.clip(_WORK // (2 * _STEPS * len(rows) * k), _FEWEST_CATCHES, _CATCHES))
    weights = np.stack(
        [
            _simulated_catch(codes, groups, size, _CONCENTRATIONS[i % len(_CONCENTRATIONS)], rng)
            for i in range(n)
        ],
        axis=1,
    ).astype(np.float32)
    true = np.zeros((k, n))
    np.add.at(true, codes, weights)
    p = _likelihoods(held_out.log_likelihoods[rows])
    shares = np.full((k, n), 1 / k, np.float32)
    for _ in range(_STEPS):
        sums = shares * (p.T @ (weights / (p @ shares)))
        new = (sums + _ADDED) / (size + k * _ADDED)
        moved, shares = np.abs(new - shares).max(), new.astype(np.float32)
        if moved < _CLOSE:
            break
    total = p @ shares
    expected = shares * (p.T @ (weights / total))
    variance = np.maximum(expected - shares**2 * ((p**2).T @ (weights / total**2)), 0)
    # Ends are rounded to whole images; classes that are not in a catch are nearly always right.
    off = np.maximum(np.abs(expected - true) - 0.5, 0) / np.sqrt(variance + _ADDED)
    return float(np.quantile(off[true > 0], level))


def _simulated_catch(
    codes: Integers, groups: Integers, size: int, concentration: float, rng: np.random.Generator
) -> Double:
    """Return how often each held-out row is drawn: first classes, then their groups, then rows."""
    classes = np.unique(codes)
    of_class = rng.multinomial(size, rng.dirichlet(np.full(len(classes), concentration)))
    weights = np.zeros(len(codes))
    for c, n in zip(classes.tolist(), of_class.tolist(), strict=True):
        if n:
            at = np.flatnonzero(codes == c)
            _, group = np.unique(groups[at], return_inverse=True)
            n_groups = int(group.max()) + 1
            drawn = np.bincount(
                rng.integers(0, n_groups, max(1, n_groups - 1)), minlength=n_groups
            )[group]
            weights[at] = rng.multinomial(n, drawn / drawn.sum())
    return weights


def _with_checked(
    z: Floats,
    known: Integers,
    shares: Double,
    of_model: tuple[Double, Double, Double],
    level: float,
) -> tuple[Double, Double]:
    """Combine counts with their error on the images that were checked."""
    expected, variance, half = of_model
    at = np.flatnonzero(known >= 0)
    off = np.eye(len(shares))[known[at]] - _posterior(z[at], shares)
    n_open, n = len(z) - len(at), len(at)
    own = variance / max(1, n_open)
    spread = ((off**2).sum(axis=0) + _PSEUDO_CHECKS * (own + _ADDED / n)) / (n + _PSEUDO_CHECKS)
    corrected = expected + n_open * off.mean(axis=0)
    # Those that were not checked are a sample too, of the rest.
    apart = float(ndtri(0.5 + level / 2)) * np.sqrt(n_open * len(z) / n * spread)
    weight = half**2 / (half**2 + apart**2)
    mixed = np.clip((1 - weight) * expected + weight * corrected, 0, n_open)
    return mixed, half * apart / np.sqrt(half**2 + apart**2)


def _posterior(z: Floats, shares: Double) -> Double:
    p = _likelihoods(z) * shares
    return np.asarray(p / p.sum(axis=1, keepdims=True), np.float64)


def _likelihoods(z: Floats) -> npt.NDArray[np.float32]:
    """Return likelihoods, each row's largest 1 and none quite 0."""
    high = z.max(axis=1, keepdims=True, initial=-np.inf) if len(z) else z
    return np.exp(np.maximum(z - high, -60)).astype(np.float32)


def _chunks(z: Floats) -> Iterator[Floats]:
    step = max(1, _CHUNK_CELLS // z.shape[1])
    return (z[at : at + step] for at in range(0, len(z), step))


def _some(rows: Integers, k: int, rng: np.random.Generator, cells: int = _FIT_CELLS) -> Integers:
    """Return all rows, or a random sample of them where there are very many."""
    most = max(100, cells // k)
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _check(z: Floats, called: Integers, known: Integers, held_out: HeldOutRows) -> None:
    own = held_out.log_likelihoods
    if z.ndim != 2 or called.shape != z.shape[:1] or known.shape != z.shape[:1]:
        raise InputError(
            f"log_likelihoods {z.shape}, called {called.shape} and truth {known.shape} do not fit"
        )
    if own.ndim != 2 or own.shape != (len(held_out.codes), z.shape[1]):
        raise InputError(
            f"held-out rows {own.shape} and codes {held_out.codes.shape} do not fit {z.shape}"
        )
    if not len(own):
        raise InputError("no held-out rows: intervals cannot be drawn without any")


def class_bias(
    log_likelihoods: npt.NDArray[np.floating[Any]], codes: npt.NDArray[np.integer[Any]]
) -> npt.NDArray[np.float64]:
    """Return the correction to add to the log likelihoods of each class, (n_classes,).

    With it, the probabilities of each class sum up to about its rows. One share of the log prior
    for all classes leaves a class too probable that is easily confused with others, and another too
    improbable: where frequencies change, such errors grow.

    Parameters
    ----------
    log_likelihoods
        (n, n_classes) of rows that the classifier had not learnt from, up to a constant for each.
    codes
        (n,) their true classes.

    References
    ----------
    Alexandari, Kundaje & Shrikumar (2020). Maximum likelihood with bias-corrected calibration is
    hard-to-beat at label shift adaptation. ICML. Here with a normal prior on the biases.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> codes = np.repeat([0, 1], 500)
    >>> z = rng.normal(size=(1000, 2)) + 2 * np.eye(2)[codes]
    >>> bias = class_bias(2 * z + [0, 1], codes)
    >>> bool(bias[0] - bias[1] > 0.7)
    True
    """
    most = max(100, _MOST_CELLS // max(1, log_likelihoods.shape[1]))
    if len(codes) > most:
        some = np.random.default_rng(0).choice(len(codes), most, replace=False)
        log_likelihoods, codes = log_likelihoods[some], codes[some]
    rows = np.bincount(codes, minlength=log_likelihoods.shape[1]).astype(np.float64)
    z = log_likelihoods + np.log((rows + 0.5) / (rows.sum() + 0.5 * len(rows)))
    bias = np.zeros(len(rows))
    for _ in range(_BIAS_STEPS if len(codes) else 0):
        expected = softmax(z + bias, axis=1).sum(axis=0)
        step = (rows - expected - _PSEUDO_ROWS * bias) / (expected + _PSEUDO_ROWS)
        bias += step
        if np.abs(step).max() < _BIAS_CLOSE:
            break
    return bias
