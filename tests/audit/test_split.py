from __future__ import annotations

import csv

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from planted import KINDS

from fishembed.audit import audit_store, split_store
from fishembed.audit.similar_rows import connected_groups
from fishembed.audit.split import stratified_group_split
from fishembed.cache import FeatureStore, undo_edit
from fishembed.errors import InputError


@pytest.mark.parametrize("shares", [{"val": 0.6, "test": 0.5}, {"val": -0.1, "test": 0.2}])
def test_shares_that_make_no_sense(vectors_store, shares):
    with pytest.raises(InputError, match="shares must"):
        split_store(vectors_store([5, 5]), **shares)


def test_groups_are_read_from_paths(vectors_store, workspace):
    paths = [f"fish_{i // 5}_{i}.png" for i in range(99)] + ["odd.png"]
    place = vectors_store([50, 50], paths=paths)
    done = split_store(place, group_by=r"fish_(\d+)_", manifest=workspace / "m.csv")
    assert any("20 groups read" in note for note in done.notes)
    assert any("1 paths name no group" in note and "'odd.png'" in note for note in done.notes)
    with FeatureStore.open(place) as store:
        assert store.groups[:6] == ["0", "0", "0", "0", "0", "1"]
        for group in set(store.groups) - {""}:
            where = {s for s, g in zip(store.splits, store.groups, strict=True) if g == group}
            assert len(where) == 1
        with (workspace / "m.csv").open(newline="") as file:
            rows = list(csv.DictReader(file))
        assert [row["split"] for row in rows] == store.splits.tolist()
        assert [row["path"] for row in rows] == store.paths
    undo_edit(place)
    with FeatureStore.open(place) as store:
        assert set(store.groups) == {""}
        assert set(store.splits) == {""}


@pytest.mark.parametrize(("expression", "said"), [("(", "no regular"), ("zebra", "finds nothing")])
def test_expressions_that_make_no_sense(vectors_store, expression, said):
    place = vectors_store([5, 5])
    raw = place.read_bytes()
    with pytest.raises(InputError, match=said):
        split_store(place, group_by=expression)
    assert place.read_bytes() == raw


def test_copies_stay_together_where_asked(planted):
    photos, store = planted
    split_store(store.path)
    with FeatureStore.open(store.path) as apart:
        split = dict(zip(apart.paths, apart.splits, strict=True))
        assert all(split[a] == split[b] for a, b in photos.pairs["copy"])
        assert any(split[a] != split[b] for kind in KINDS[1:3] for a, b in photos.pairs[kind])
    done = split_store(store.path, group_duplicates=True)
    assert any("groups of copies kept together" in note for note in done.notes)
    with FeatureStore.open(store.path) as together:
        assert audit_store(together, read_photos=False)["leaks"].found == ()


SHARES = {"train": 0.7, "val": 0.1, "test": 0.2}


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-1, 3), st.integers(0, 12)), min_size=1, max_size=120),
    st.integers(0, 99),
)
def test_no_group_is_divided_and_no_class_untaught(rows, seed):
    labels, groups = np.array(rows).T
    together = connected_groups([str(g) for g in groups])
    splits = stratified_group_split(labels, together, SHARES, seed=seed)
    for group in np.unique(together):
        assert len(set(splits[together == group])) == 1
    assert set(splits) <= set(SHARES)
    for label in np.unique(labels):
        mine = together[labels == label]
        pure = all(len(set(labels[together == group])) == 1 for group in np.unique(mine))
        if pure:
            kinds = set(splits[labels == label])
            assert kinds >= set(["train", "test", "val"][: len(np.unique(mine))])


def test_classes_keep_their_shares_without_groups():
    labels = np.repeat([0, 1, 2], [1000, 100, 10])
    splits = stratified_group_split(labels, np.arange(len(labels)), SHARES)
    for label, n in enumerate([1000, 100, 10]):
        counts = [int((splits[labels == label] == name).sum()) for name in ("train", "val", "test")]
        assert counts == [n * 7 // 10, n // 10, n // 5]


def test_a_seed_gives_one_split_and_another_seed_another():
    labels, together = np.zeros(100, int), np.arange(100)
    first = stratified_group_split(labels, together, SHARES, seed=1)
    assert (first == stratified_group_split(labels, together, SHARES, seed=1)).all()
    assert (first != stratified_group_split(labels, together, SHARES, seed=2)).any()
