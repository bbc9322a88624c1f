from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed.errors import InputError
from fishembed.evaluation import stratified_holdout


def test_keeps_classes_in_proportion():
    y = np.repeat([0, 1, 2], [100, 50, 5])
    held = stratified_holdout(y)
    assert [int(held[y == c].sum()) for c in range(3)] == [20, 10, 1]


def test_same_seed_same_rows():
    y = np.repeat([0, 1], 50)
    assert (stratified_holdout(y, seed=1) == stratified_holdout(y, seed=1)).all()
    assert (stratified_holdout(y, seed=1) != stratified_holdout(y, seed=2)).any()


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), min_size=4, max_size=80))
def test_groups_stay_together_and_no_class_leaves_training(rows):
    y = np.array([r[0] for r in rows])
    groups = np.array([r[1] for r in rows])
    try:
        held = stratified_holdout(y, groups)
    except InputError:
        return
    assert not set(groups[held]) & set(groups[~held])
    assert set(y) == set(y[~held])


def test_too_little_to_divide():
    with pytest.raises(InputError, match="too few"):
        stratified_holdout([0, 1, 2])
    with pytest.raises(InputError, match="test_size"):
        stratified_holdout([0, 0], test_size=0.9)
