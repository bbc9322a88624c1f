from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix

from fishembed.evaluation import confusion_counts as confusion
from fishembed.evaluation.confusion_counts import (
    ConfusedPair,
    confused_pairs,
    confusion_counts,
    largest_pairs,
    mixup_order,
    most_mixed,
    most_often_called_instead,
    row_shares,
)


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1))
def test_counts_are_scikit_learns(rows):
    true, predicted = map(np.array, zip(*rows, strict=True))
    counts = confusion_counts(true, predicted, 5)
    np.testing.assert_array_equal(counts, confusion_matrix(true, predicted, labels=range(5)))


def test_images_without_a_label_are_not_counted():
    assert confusion_counts(np.array([-1, 0]), np.array([0, 0]), 1).sum() == 1


def test_shares_of_a_class_without_images_are_zero():
    np.testing.assert_array_equal(row_shares(np.array([[0, 0], [1, 3]])), [[0, 0], [0.25, 0.75]])


@pytest.mark.parametrize("n", [1, 2, 3, 30, 201])
def test_the_order_holds_every_class_that_occurs_once(n):
    counts = np.random.default_rng(0).integers(1, 5, (n, n))
    assert sorted(mixup_order(counts)) == list(range(n))


def test_classes_taken_for_each_other_stand_together():
    counts = np.diag(np.full(6, 10))
    counts[0, 5] = counts[5, 0] = 9
    order = mixup_order(counts).tolist()
    assert abs(order.index(0) - order.index(5)) == 1


def test_classes_that_do_not_occur_are_left_out():
    counts = np.zeros((5, 5), dtype=int)
    counts[1, 3] = 2
    assert mixup_order(counts).tolist() == [1, 3]


def test_pairs_come_largest_first_then_by_share():
    counts = np.array([[5, 3, 0], [3, 1, 0], [1, 0, 0]])
    pairs = confused_pairs(counts)
    assert pairs == [
        ConfusedPair(1, 0, 3, 4),
        ConfusedPair(0, 1, 3, 8),
        ConfusedPair(2, 0, 1, 1),
    ]


def test_single_images_make_way_for_larger_pairs():
    counts = np.array([[0, 2, 2], [2, 0, 1], [1, 1, 0]])
    assert [p.count for p in largest_pairs(counts, 12)] == [2, 2, 2]
    assert len(largest_pairs(np.array([[0, 1], [1, 0]]), 12)) == 2


def test_most_mixed_keeps_the_order():
    counts = np.array([[9, 0, 0, 1], [0, 9, 0, 0], [0, 0, 9, 4], [0, 0, 4, 9]])
    assert most_mixed(counts, [3, 1, 2, 0], 2) == [3, 2]


def test_each_class_has_what_it_was_called_most_by_mistake():
    counts = np.array([[5, 3, 4], [0, 1, 0], [1, 1, 0]])
    assert most_often_called_instead(counts) == [(2, 4), None, (0, 1)]
    assert most_often_called_instead(np.zeros((0, 0), int)) == []


def test_many_classes_are_counted_sparsely_and_read_alike(monkeypatch):
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 40, (2, 600))
    dense = confusion.confusion_counts(true, predicted, 40)
    order = confusion.mixup_order(dense)
    monkeypatch.setattr(confusion, "DENSE_UP_TO", 39)
    sparse = confusion.confusion_counts(true, predicted, 40)
    assert not isinstance(sparse, np.ndarray)
    monkeypatch.setattr(confusion, "DENSE_UP_TO", 40)
    for read in (
        confusion.most_often_called_instead,
        confusion.confused_pairs,
        lambda counts: confusion.most_mixed(counts, range(40), 7),
        lambda counts: confusion.count_block(counts, [3, 1, 2]).tolist(),
        lambda counts: [cells.tolist() for cells in confusion.count_cells(counts)],
    ):
        assert read(sparse) == read(dense)
    assert confusion.mixup_order(sparse).tolist() == order.tolist()


def test_twenty_thousand_classes_take_little_memory():
    k = 20_000
    true = np.arange(k)
    counts = confusion.confusion_counts(true, np.roll(true, 1), k)
    assert len(confusion.mixup_order(counts)) == 200
    assert confusion.most_often_called_instead(counts)[5] == (4, 1)
