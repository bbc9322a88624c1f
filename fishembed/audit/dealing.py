"""Deal units over splits: in proportion for every class, no unit divided."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fishembed.audit.units import Units
from fishembed.errors import InputError

SPLITS = ("train", "test", "val")
"""In the order in which a class with few units fills them."""


def deal(
    labels: npt.NDArray[np.integer], units: Units, shares: Mapping[str, float], *, seed: int = 0
) -> npt.NDArray[np.str_]:
    """Give each row a split.

    Units are dealt largest first, those of one size at random, each to the split where its
    classes are furthest below their share. A class with one unit is in train, one with two in
    train and test: what cannot be learnt cannot be tested, and the other way round.

    Parameters
    ----------
    labels
        Integers (n,); rows without a label are a class of their own.
    units
        intp (n,) counted from 0: rows of one unit stay together.
    shares
        By split, above 0 for those wanted, in sum 1.
    seed
        Of the order.

    Returns
    -------
    text (n,)
        train, val or test.

    Raises
    ------
    InputError
        When the shares make no sense.
    """
    wanted = [name for name in SPLITS if shares.get(name, 0) > 0]
    check_shares(shares)
    _, codes = np.unique(labels, return_inverse=True)
    rng = np.random.default_rng(seed)
    n_units = int(units.max()) + 1
    classes, counts = _contents(codes, units, n_units)
    share = np.array([shares[name] for name in wanted])
    # What each split still lacks of each class; and how many units it has of it.
    lacking = np.outer(share, np.bincount(codes)).astype(float)
    filled = np.zeros(lacking.shape, np.intp)
    sizes = np.bincount(units, minlength=n_units)
    order = np.lexsort((rng.random(n_units), -sizes))
    split = np.empty(n_units, np.intp)
    for unit in order:
        held, n = classes[unit], counts[unit]
        empty = np.flatnonzero((filled[:, held] == 0).all(axis=1))
        to = empty[0] if len(empty) else int((lacking[:, held] @ n).argmax())
        lacking[to, held] -= n
        filled[to, held] += 1
        split[unit] = to
    return np.array(wanted)[split][units]


def check_shares(shares: Mapping[str, float]) -> None:
    """Refuse shares that make no sense.

    Raises
    ------
    InputError
    """
    said = ", ".join(f"{name} {share:g}" for name, share in shares.items())
    if any(not 0 <= share < 1 for share in shares.values()):
        raise InputError(f"shares must lie between 0 and 1, train above 0: {said}")
    if shares.get("train", 0) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise InputError(f"shares must sum to 1 and leave something for train: {said}")


def _contents(
    codes: npt.NDArray[np.intp], units: Units, n_units: int
) -> tuple[list[npt.NDArray[np.intp]], list[npt.NDArray[np.intp]]]:
    """Give the classes of each unit, and its rows of each."""
    pairs, counts = np.unique(np.stack([units, codes], axis=1), axis=0, return_counts=True)
    ends = np.searchsorted(pairs[:, 0], np.arange(1, n_units))
    return np.split(pairs[:, 1], ends), np.split(counts, ends)
