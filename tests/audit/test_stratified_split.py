from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed.audit.connected_rows import connected_groups
from fishembed.audit.stratified_split import stratified_group_split

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
