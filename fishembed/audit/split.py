"""Split a store into train, val and test, with copies and groups in one split."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.csv_files import write_csv
from fishembed._base.text import counted
from fishembed.audit.checks.balance import Balance, count_balance
from fishembed.audit.checks.duplicates import find_store_duplicates, store_threshold
from fishembed.audit.similar_rows import connected_groups
from fishembed.cache import FeatureStore, edit_store
from fishembed.cache.edit_history import Edit
from fishembed.errors import InputError
from fishembed.reports.label_sheet import images_at_hand

if TYPE_CHECKING:
    from upath import UPath

MANIFEST = ("path", "label", "split", "group")

_FILL_ORDER = ("train", "test", "val")
"""Order in which a class with few groups fills the splits."""


@dataclass(frozen=True)
class Split:
    """Result of splitting a store.

    Attributes
    ----------
    edit
        Its entry in the store's history; without changes nothing was written.
    balance
        Classes by split, as they are now.
    n_groups
        Number of groups that were assigned; a row without a group counts as one.
    rows
        Rows of the store.
    replaced
        Rows that had another split before.
    notes
        Sentences for people.
    """

    edit: Edit
    balance: Balance
    n_groups: int
    rows: int
    replaced: int
    notes: tuple[str, ...]


def split_store(
    store: str | Path | UPath,
    *,
    val: float = 0.1,
    test: float = 0.2,
    group_by: str | None = None,
    group_duplicates: bool = False,
    threshold: float | None = None,
    seed: int = 0,
    manifest: str | Path | None = None,
    command: str = "",
) -> Split:
    """Assign the images of a store to train, val and test; nothing is encoded again.

    Classes keep their proportions. Images of one group stay together, and so do images with
    the same bytes.

    Parameters
    ----------
    store
        The store, by path or by its name in the cache folder; its splits are replaced, which
        `undo_edit` restores.
    val, test
        Shares, 0 for none; the rest is train.
    group_by
        Regular expression searched in each path: its first group, or the whole match, names
        the image's group. These groups are written to the store.
    group_duplicates
        Whether near-duplicates stay together too; where the images can be read, those that the
        audit finds.
    threshold
        Cosine from which two images are near-duplicates; chosen from the data when None.
    seed
        Of the order in which groups are assigned.
    manifest
        CSV with path, label, split and group to write.
    command
        The command line that repeats the split, for the store's history.

    Raises
    ------
    InputError
        When shares or the expression make no sense, or the expression matches no path.
    StoreLockedError, StoreIntegrityError, StoreWriteError
        As `edit_store`.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, split
    >>> X = np.random.default_rng(0).normal(size=(40, 8))
    >>> _ = import_features({"features": X, "labels": ["cod", "eel"] * 20}, "cache/fish.h5")
    >>> done = split("fish", val=0, test=0.25)
    >>> done.rows, done.edit.summary()
    (40, '40 splits')
    """
    with FeatureStore.open(store) as opened:
        notes: list[str] = []
        groups = list(opened.groups)
        if group_by is not None:
            groups = groups_in_paths(opened.paths, group_by, notes)
        together = connected_groups(groups, opened.digests)
        if group_duplicates:
            copies = _group_copies(opened, threshold, seed, notes)
            together = connected_groups(together, copies)
        shares = {"train": 1 - val - test, "val": val, "test": test}
        splits = stratified_group_split(opened.labels, together, shares, seed=seed)
        paths, labels, classes = opened.paths, opened.labels, opened.classes
        replaced = int(((opened.splits != "") & (opened.splits != splits)).sum())
    names = [*classes, ""]
    changes = [(path, "split", str(split)) for path, split in zip(paths, splits, strict=True)]
    changes += [(path, "group", group) for path, group in zip(paths, groups, strict=True)]
    edit = edit_store(store, changes, verb="split", command=command)
    if manifest is not None:
        cells = zip(paths, (names[i] for i in labels), splits.tolist(), groups, strict=True)
        write_csv(Path(manifest), MANIFEST, list(cells))
    return Split(
        edit=edit,
        balance=count_balance(labels, classes, splits, groups),
        n_groups=len(np.unique(together)),
        rows=len(paths),
        replaced=replaced,
        notes=tuple(notes),
    )


def groups_in_paths(paths: list[str], expression: str, notes: list[str]) -> list[str]:
    """Read each image's group from its path; "" where the expression finds none.

    Raises
    ------
    InputError
        When it is no expression, or finds nothing at all.
    """
    try:
        pattern = re.compile(expression)
    except re.error as error:
        raise InputError(f"--group-by {expression!r} is no regular expression: {error}") from error
    found = [pattern.search(path) for path in paths]
    groups = [(match[1] if pattern.groups else match[0]) or "" if match else "" for match in found]
    without = [path for path, group in zip(paths, groups, strict=True) if not group]
    if len(without) == len(paths):
        raise InputError(
            f"--group-by {expression!r} finds nothing in any path; the first is {paths[0]!r}"
        )
    notes.append(f"{len(set(groups) - {''}):,} groups read from the paths")
    if without:
        notes.append(
            f"{len(without):,} paths name no group and count for themselves, the first: "
            f"{without[0]!r}"
        )
    return groups


def _group_copies(
    store: FeatureStore, threshold: float | None, seed: int, notes: list[str]
) -> Indices:
    chosen = store_threshold(store, threshold, seed)
    images = images_at_hand(store.source.get("root"))
    found = find_store_duplicates(store, store.splits, chosen, images)
    if images is None:
        notes.append("the photos cannot be read: copies are told by features and hashes alone")
    notes.append(
        f"{counted(len(found.groups), 'group')} of copies kept together and "
        f"{counted(len(found.scenes), 'group')} of the same scene, at a cosine of "
        f"{chosen.cosine:.4f} or more ({chosen.how})"
    )
    return found.group_of


def stratified_group_split(
    labels: npt.NDArray[np.integer], groups: Indices, shares: Mapping[str, float], *, seed: int = 0
) -> npt.NDArray[np.str_]:
    """Return a split for each row.

    Groups are assigned largest first, those of one size in random order, each to the split
    whose classes are furthest below their share. A class with one group is in train, one with
    two in train and test: what cannot be learnt cannot be tested, and the other way round.

    `labels` are integers (n,), where rows without a label are a class of their own; `groups` intp
    (n,) numbered from 0; `shares` by split above 0 for those wanted, in sum 1. Returns text (n,).

    Raises
    ------
    InputError
        When the shares make no sense.

    Examples
    --------
    >>> stratified_group_split([0, 0, 0, 0], np.array([0, 0, 1, 1]), {"train": 0.5, "test": 0.5})
    array(['test', 'test', 'train', 'train'], dtype='<U5')
    """
    _check_shares(shares)
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
        own, n = classes[group], counts[group]
        empty = np.flatnonzero((filled[:, own] == 0).all(axis=1))
        to = empty[0] if len(empty) else int((lacking[:, own] @ n).argmax())
        lacking[to, own] -= n
        filled[to, own] += 1
        split[group] = to
    return np.array(splits)[split][groups]


def _check_shares(shares: Mapping[str, float]) -> None:
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
