"""Training and scored rows of a store, and copies of images across the two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fishembed._base.arrays import Indices
from fishembed._base.splits import SPLITS
from fishembed._base.text import listed
from fishembed.cache import FeatureKind, Store
from fishembed.errors import InputError
from fishembed.evaluation import stratified_holdout
from fishembed.evaluation.near_duplicates import CopyDetector, near_duplicate_threshold

SPLIT_CHOICES = (*SPLITS, "all")
MOST_ROWS = 100_000
"""Rows of a store beyond which only bytes are compared, which is fast."""


@dataclass(frozen=True)
class TrainTestSplit:
    """Row numbers of a store: for training, validation and scoring."""

    train: Indices
    val: Indices  # may be empty
    scored: Indices
    name: str  # what the scored rows are: train, val, test, all, or holdout
    note: str = ""  # for people, where the store's own splits were not used as they are


def rows_to_score(store: Store, split: str | None) -> tuple[Indices, str]:
    """Choose the labelled rows that a zero-shot classifier is scored on, and name them.

    `split` is train, val, test or all; None means test where there is one, else all.

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

    With splits, heads are fitted to train and scored on test, or on val where there is no test;
    where no row is in train, those without a split are fitted to. Without splits a fifth is held
    out, stratified, in whole groups, drawn by `seed`. `split` names another one to score.

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
    else:  # only rows to check on were set apart
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


def some_rows(rows: Indices, most: int, seed: int) -> Indices:
    """Return the rows, or as many of them at random as are wanted at most, in their order."""
    if len(rows) <= most:
        return rows
    return np.sort(np.random.default_rng(seed).choice(rows, most, replace=False))


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
    """Return which rows were labelled because they are hard or typical: they are never scored."""
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


@dataclass(frozen=True)
class Leakage:
    """Numbers of scored images with a copy among the training rows."""

    scored: int
    identical: int  # those whose bytes occur among the training rows
    near_duplicate: int  # others that are nearly the same
    cosine: float | None  # from which two images are alike; None where only bytes were compared
    same_scene: int = 0  # others that are no copies but alike: of one burst, or one place

    def warning(self, store: Store) -> str:
        """Return a warning on leakage and its remedy; "" where nothing leaks."""
        n = self.identical + self.near_duplicate + self.same_scene
        if not n:
            return ""
        kinds = {
            "byte for byte": self.identical,
            "nearly": self.near_duplicate,
            "of the same scene": self.same_scene,
        }
        how = listed([f"{count:,} {kind}" for kind, count in kinds.items() if count])
        near = " --group-duplicates" if self.near_duplicate or self.same_scene else ""
        return (
            f"warning: {n:,} of the {self.scored:,} scored images ({100 * n / self.scored:.1f}%) "
            f"{'has a copy' if n == 1 else 'have copies'} among the training rows ({how}), which "
            f"flatters the scores: 'fishembed split {store.path}{near}' makes splits that keep "
            "copies together"
        )


def find_leakage(
    store: Store,
    rows: TrainTestSplit,
    features: FeatureKind,
    X_train: npt.NDArray[np.float32],
    X_scored: npt.NDArray[np.float32],
) -> Leakage:
    """Count the scored images that have a copy among the training rows.

    Scored rows that are training rows themselves are left out: `split` asked for them. `features`
    are those that are compared; `X_train` and `X_scored` are of the two kinds of rows.
    """
    other = ~np.isin(rows.scored, rows.train)
    digests = store.digests
    trained = {digests[row] for row in rows.train} - {""}
    identical = np.array([digests[row] in trained for row in rows.scored], bool) & other
    if len(store) > MOST_ROWS:
        return Leakage(int(other.sum()), int(identical.sum()), 0, None)
    all_rows = store.features if features == "image" else store.trunk
    threshold = near_duplicate_threshold(all_rows, store.labels, store.groups, hashes=store.hashes)
    unsure = other & ~identical
    detector = CopyDetector(threshold, store.hashes, store.groups)
    copied, alike = detector.find_among(rows.scored[unsure], X_scored[unsure], rows.train, X_train)
    near, scenes = int(copied.sum()), int(alike.sum())
    return Leakage(int(other.sum()), int(identical.sum()), near, threshold.cosine, scenes)
