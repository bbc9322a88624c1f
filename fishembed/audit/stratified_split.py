"""Assign groups to splits: every class in proportion, no group divided."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from fishembed.audit.connected_rows import Indices
from fishembed.errors import InputError

_FILL_ORDER = ("train", "test", "val")
"""In this order a class with few groups fills the splits."""


def stratified_group_split(
    labels: npt.NDArray[np.integer], groups: Indices, shares: Mapping[str, float], *, seed: int = 0
) -> npt.NDArray[np.str_]:
    """Return a split for each row.

    Groups are assigned largest first, those of one size in random order, each to the split
    whose classes are furthest below their share. A class with one group is in train, one with
    two in train and test: what cannot be learnt cannot be tested, and the other way round.

    Parameters
    ----------
    labels
        Integers (n,); rows without a label are a class of their own.
    groups
        intp (n,) numbered from 0: rows of one group stay together.
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

    Examples
    --------
    >>> stratified_group_split([0, 0, 0, 0], np.array([0, 0, 1, 1]), {"train": 0.5, "test": 0.5})
    array(['test', 'test', 'train', 'train'], dtype='<U5')
    """
    check_shares(shares)
    splits = [name for name in _FILL_ORDER if shares.get(name, 0) > 0]
    _, codes = np.unique(labels, return_inverse=True)
    n_groups = int(groups.max()) + 1
    classes, counts = _classes_by_group(codes, groups, n_groups)
    # What each split still lacks of each class; and how many groups it has of it.
    lacking = np.outer([shares[name] for name in splits], np.bincount(codes)).astype(float)
    filled = np.zeros(lacking.shape, np.intp)
    sizes = np.bincount(groups, minlength=n_groups)
    order = np.lexsort((np.random.default_rng(seed).random(n_groups), -sizes))
    split = np.empty(n_groups, np.intp)
    for group in order:
        held, n = classes[group], counts[group]
        empty = np.flatnonzero((filled[:, held] == 0).all(axis=1))
        to = empty[0] if len(empty) else int((lacking[:, held] @ n).argmax())
        lacking[to, held] -= n
        filled[to, held] += 1
        split[group] = to
    return np.array(splits)[split][groups]


def check_shares(shares: Mapping[str, float]) -> None:
    """Refuse shares that make no sense.

    Raises
    ------
    InputError
    """
    given = ", ".join(f"{name} {share:g}" for name, share in shares.items())
    if any(not 0 <= share < 1 for share in shares.values()):
        raise InputError(f"shares must lie between 0 and 1, train above 0: {given}")
    if shares.get("train", 0) <= 0 or abs(sum(shares.values()) - 1) > 1e-6:
        raise InputError(f"shares must sum to 1 and leave something for train: {given}")


def _classes_by_group(
    codes: npt.NDArray[np.intp], groups: Indices, n_groups: int
) -> tuple[list[npt.NDArray[np.intp]], list[npt.NDArray[np.intp]]]:
    """Return the classes of each group, and its rows of each."""
    pairs, counts = np.unique(np.stack([groups, codes], axis=1), axis=0, return_counts=True)
    ends = np.searchsorted(pairs[:, 0], np.arange(1, n_groups))
    return np.split(pairs[:, 1], ends), np.split(counts, ends)
