"""Choice of the rows of a store that are learnt from and of those that are scored."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.splits import SPLITS
from fishembed.cache import Store
from fishembed.errors import InputError
from fishembed.evaluation import stratified_holdout

Indices = npt.NDArray[np.intp]
SPLIT_CHOICES = (*SPLITS, "all")


@dataclass(frozen=True)
class TrainTestSplit:
    """Rows of a store by what they are used for.

    Attributes
    ----------
    train, val, scored
        Row numbers; `val` may be empty.
    name
        What the scored rows are: train, val, test, all, or holdout.
    note
        One sentence for people, "" where the store's own splits were used as they are.
    """

    train: Indices
    val: Indices
    scored: Indices
    name: str
    note: str = ""


def rows_to_score(store: Store, split: str | None) -> tuple[Indices, str]:
    """Choose the labelled rows that a zero-shot classifier is scored on.

    Parameters
    ----------
    store
        The store.
    split
        train, val, test or all; None takes test where there is one, else all.

    Raises
    ------
    InputError
        When the store has no such rows.
    """
    _check_split(split)
    if split is None:
        split = "test" if _has(store, "test") else "all"
    return store.split_rows(split), split


def train_test_split(store: Store, split: str | None, seed: int) -> TrainTestSplit:
    """Choose the rows to learn from and the rows to score.

    A store with splits is learnt from on train and scored on test, or on val where there is
    no test; where none is in train, those without a split are learnt from. A store without
    splits gets a seeded, stratified hold-out of a fifth, groups
    kept together.

    Parameters
    ----------
    store
        The store.
    split
        Score that split instead.
    seed
        Seed of the hold-out.

    Raises
    ------
    InputError
        When the store has no rows to learn from or none to score.
    """
    _check_split(split)
    if not any(_has(store, name) for name in SPLITS):
        return _hold_out(store, split, seed)
    if _has(store, "train"):
        train = store.split_rows("train")
    else:  # only a sample to check on was set apart
        rows = np.flatnonzero((store.labels >= 0) & (store.splits == ""))
        train = rows if len(rows) else store.split_rows("train")
    val = store.split_rows("val") if _has(store, "val") else np.array([], np.intp)
    if split is None:
        split = next((name for name in ("test", "val") if _has(store, name)), None)
    if split is None:
        raise InputError(
            f"{str(store.path)!r} has rows in train only: name --split train to score those, or "
            "give some rows another split"
        )
    note = "no test split: scores are of val" if split == "val" and not _has(store, "test") else ""
    return TrainTestSplit(train, val, store.split_rows(split), split, note)


def row_groups(store: Store, rows: Indices) -> npt.NDArray[np.str_] | None:
    """Return each row's group, rows without one their own; None where no row has one."""
    groups = np.array(store.groups, dtype=object)[rows]
    if not any(groups):
        return None
    return np.array([group or f"\0{i}" for i, group in enumerate(groups)], dtype=str)


def split_counts(store: Store) -> dict[str, int]:
    """Count the labelled rows of each split, and the rows without a label."""
    labelled = store.labels >= 0
    counts = {name: int((store.splits[labelled] == name).sum()) for name in SPLITS}
    counts["none"] = int(labelled.sum()) - sum(counts.values())
    counts["unlabelled"] = int((~labelled).sum())
    return counts


def _hold_out(store: Store, split: str | None, seed: int) -> TrainTestSplit:
    rows = store.split_rows("all")
    groups = row_groups(store, rows)
    held = stratified_holdout(store.labels[rows], groups, seed=seed)
    held &= ~_chosen_for_training(store, rows)
    train, test = rows[~held], rows[held]
    note = (
        f"no splits in the store: {len(test):,} of {len(rows):,} rows held out for scoring "
        f"(stratified, {'' if groups is None else 'groups kept together, '}seed {seed})"
    )
    scored = {None: test, "test": test, "train": train, "all": rows}.get(split)
    if scored is None:
        raise InputError(f"{str(store.path)!r} has no splits: there is no {split!r} to score")
    name = split if split in ("train", "all") else "holdout"
    return TrainTestSplit(train, np.array([], np.intp), scored, name, note)


def _chosen_for_training(store: Store, rows: Indices) -> npt.NDArray[np.bool_]:
    """Return which rows were labelled because they are hard or typical: no score rests on them."""
    chosen = {
        change.path
        for edit in store.history
        for change in edit.changes
        if change.chosen in ("typical", "uncertain")
    }
    return np.array([bool(chosen) and store.paths[row] in chosen for row in rows], bool)


def _has(store: Store, split: str) -> bool:
    return bool(((store.splits == split) & (store.labels >= 0)).any())


def _check_split(split: str | None) -> None:
    if split is not None and split not in SPLIT_CHOICES:
        raise InputError(f"split {split!r} is unknown: name one of {', '.join(SPLIT_CHOICES)}")
