"""The verb: make train, val and test of a store, and keep together what belongs together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fishembed._base.csv_files import write_csv
from fishembed.audit.auditing import pick_threshold
from fishembed.audit.balance import Balance, count_balance
from fishembed.audit.dealing import deal
from fishembed.audit.duplicates import find_duplicates
from fishembed.audit.units import Units, joined_units
from fishembed.cache import FeatureStore, edit_store
from fishembed.cache.history import Edit
from fishembed.errors import InputError

if TYPE_CHECKING:
    from upath import UPath

MANIFEST = ("path", "label", "split", "group")


@dataclass(frozen=True)
class Split:
    """What was split.

    Attributes
    ----------
    edit
        What the store's history says of it; without changes nothing was written.
    balance
        Classes by split, as they are now.
    units
        Number of units that were dealt.
    rows
        Rows of the store.
    replaced
        Rows that had another split before.
    notes
        Sentences for people.
    """

    edit: Edit
    balance: Balance
    units: int
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
    """Deal the pictures of a store over train, val and test; nothing is encoded again.

    Classes keep their proportions. Pictures of one group stay together, and so do pictures
    with the same bytes.

    Parameters
    ----------
    store
        The store; its splits are replaced, which `undo_edit` takes back.
    val, test
        Shares, 0 for none; the rest is train.
    group_by
        Regular expression searched in each path: its first group, or the whole match, names
        the picture's group. These groups are written to the store.
    group_duplicates
        Whether near-duplicates stay together too.
    threshold
        For these; chosen from the data when None.
    seed
        Of the order in which units are dealt.
    manifest
        CSV with path, label, split and group to write.
    command
        What repeats it, for the record.

    Raises
    ------
    InputError
        When shares or the expression make no sense, or the expression matches no path.
    StoreLockedError, StoreIntegrityError, StoreWriteError
        As `edit_store`.
    """
    with FeatureStore.open(store) as opened:
        notes: list[str] = []
        groups = list(opened.groups)
        if group_by is not None:
            groups = groups_in_paths(opened.paths, group_by, notes)
        units = joined_units(groups, opened.digests)
        if group_duplicates:
            units = joined_units(units, _copies(opened, threshold, seed, notes))
        shares = {"train": 1 - val - test, "val": val, "test": test}
        splits = deal(opened.labels, units, shares, seed=seed)
        paths, labels, classes = opened.paths, opened.labels, opened.classes
        replaced = int(((opened.splits != "") & (opened.splits != splits)).sum())
    names = [*classes, ""]
    wanted = [(path, "split", str(split)) for path, split in zip(paths, splits, strict=True)]
    wanted += [(path, "group", group) for path, group in zip(paths, groups, strict=True)]
    edit = edit_store(store, wanted, verb="split", command=command)
    if manifest is not None:
        cells = zip(paths, (names[i] for i in labels), splits.tolist(), groups, strict=True)
        write_csv(Path(manifest), MANIFEST, list(cells))
    return Split(
        edit=edit,
        balance=count_balance(labels, classes, splits, groups),
        units=len(np.unique(units)),
        rows=len(paths),
        replaced=replaced,
        notes=tuple(notes),
    )


def groups_in_paths(paths: list[str], expression: str, notes: list[str]) -> list[str]:
    """Read each picture's group from its path; "" where the expression finds none.

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


def _copies(store: FeatureStore, threshold: float | None, seed: int, notes: list[str]) -> Units:
    chosen = pick_threshold(store, threshold, seed)
    found = find_duplicates(store.features, store.digests, store.splits, chosen)
    notes.append(
        f"{len(found.groups):,} groups of copies kept together, at a cosine of {chosen.cosine:.4f} "
        f"or more ({chosen.how})"
    )
    return found.unit
