from __future__ import annotations

import numpy as np
import pytest

from fishembed.explore import labelling_order
from fishembed.explore.labelling_order import next_to_label, share_unseen, uncertainty


@pytest.fixture
def blobs():
    """Return rows of five blobs, 40 to 4 large, and the blob of each."""
    rng = np.random.default_rng(0)
    kind = np.repeat(np.arange(5), [40, 30, 20, 10, 4])
    X = np.eye(8)[kind] + 0.05 * rng.normal(size=(len(kind), 8))
    return (X / np.linalg.norm(X, axis=1, keepdims=True)).astype(np.float32), kind


def some_labels(kind, of):
    labels = np.full(len(kind), -1)
    labels[[np.flatnonzero(kind == k)[0] for k in of]] = list(of)
    return labels


def test_without_labels_every_blob_is_met_once_the_largest_first(blobs):
    X, kind = blobs
    chosen = next_to_label(X, np.full(len(X), -1), [""] * len(X), 5)
    assert kind[[one.at for one in chosen]].tolist() == [0, 1, 2, 3, 4]
    assert [one.score for one in chosen] == sorted((one.score for one in chosen), reverse=True)
    assert {one.why for one in chosen} == {"typical"}


def test_labelled_blobs_come_last(blobs):
    X, kind = blobs
    chosen = next_to_label(X, some_labels(kind, (0, 2)), [""] * len(X), 3)
    assert sorted(kind[[one.at for one in chosen]].tolist()) == [1, 3, 4]


def test_uncertain_rows_are_of_the_class_with_fewest_labels(blobs):
    X, kind = blobs
    labels = some_labels(kind, (0, 1))
    more = np.flatnonzero(kind == 0)[1:6]
    labels[more], labels[np.flatnonzero(kind == 1)[1]] = 0, 1
    probabilities = np.where(kind[:, None] == [0, 1], 0.6, 0.4)
    unsure = np.flatnonzero(kind == 1)[9]
    probabilities[unsure] = 0.45, 0.55
    chosen = next_to_label(
        X, labels, [""] * len(X), 10, probabilities=probabilities, counts=np.array([6, 2])
    )
    why = [one.why for one in chosen]
    assert why == ["typical"] * 2 + ["uncertain"] * 8  # a fifth: no class has a single label
    called = probabilities.argmax(axis=1)[[one.at for one in chosen[2:]]]
    assert called[:4].tolist() == [1] * 4
    assert sorted(called[4:].tolist()) == [0, 0, 1, 1]
    assert chosen[2].at == unsure
    assert not set(np.flatnonzero(labels >= 0)) & {one.at for one in chosen}


def test_more_are_typical_while_classes_have_one_label(blobs):
    X, kind = blobs
    labels = some_labels(kind, (0, 1, 2))
    chosen = next_to_label(
        X,
        labels,
        [""] * len(X),
        6,
        probabilities=np.full((len(X), 3), 1 / 3),
        counts=np.ones(3, int),
    )
    assert [one.why for one in chosen] == ["typical"] * 6


def test_a_group_counts_once_and_is_taken_again_when_all_are_used_up(blobs):
    X, kind = blobs
    groups = [f"track {k}" for k in kind]
    labels = some_labels(kind, (0,))
    chosen = [one.at for one in next_to_label(X, labels, groups, 8)]
    assert sorted(kind[chosen[:4]].tolist()) == [1, 2, 3, 4]
    assert min(kind[chosen[4:]]) == 0
    assert len(next_to_label(X, labels, groups, 10_000)) == len(X) - 1
    labels[np.flatnonzero(kind == 0)[:9]] = 0
    assert share_unseen(labels, groups) == 1
    assert share_unseen(labels, [""] * len(X)) == 0
    assert share_unseen(np.full(3, -1), [""] * 3) == 1


def test_of_many_rows_some_are_compared(blobs, monkeypatch):
    X, kind = blobs
    monkeypatch.setattr(labelling_order, "AT_MOST", 30)
    one, again = (next_to_label(X, np.full(len(X), -1), [""] * len(X), 3) for _ in range(2))
    assert one == again
    assert sorted(kind[[c.at for c in one]].tolist()) == [0, 1, 2]
    everything = next_to_label(X, np.full(len(X), -1), [f"{i // 3}" for i in range(len(X))], 200)
    assert sorted(c.at for c in everything) == list(range(len(X)))


def test_uncertainty_is_one_less_the_margin():
    assert uncertainty(np.array([[0.6, 0.3, 0.1], [0.5, 0.5, 0]])).tolist() == pytest.approx(
        [0.7, 1.0]
    )
    assert uncertainty(np.ones((2, 1))).tolist() == [0, 0]
