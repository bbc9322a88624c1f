from __future__ import annotations

import numpy as np
import pytest

from fishembed.audit.checks.outliers import find_outliers


def clusters(counts, *, dim=24, spread=0.5, seed=0):
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    means = rng.standard_normal((len(counts), dim)) + 2
    X = means[labels] + spread * rng.standard_normal((len(labels), dim))
    return X.astype(np.float32), labels


def test_what_is_like_no_class_is_found():
    X, labels = clusters([60, 30, 12])
    strange = [5, 70, 95]
    X[strange] = -np.random.default_rng(1).random((3, 24)) * 3
    found = find_outliers(X, labels, 3)
    assert {one.row for one in found.found[:3]} == set(strange)
    assert len(found.found) <= 5
    distances = [one.distance for one in found.found]
    assert distances == sorted(distances, reverse=True)


def test_a_wrong_label_is_no_outlier():
    X, labels = clusters([60, 30, 12])
    labels[0] = 1
    assert 0 not in {one.row for one in find_outliers(X, labels, 3).found}


@pytest.mark.parametrize("n_classes", [0, 3])
def test_without_labels_all_are_one_class(n_classes):
    X, _ = clusters([60])
    X[7] = -X[7]
    found = find_outliers(X, np.full(60, -1, np.int32), n_classes).found
    assert [(one.row, one.nearest) for one in found] == [(7, -1)]


def test_a_class_of_one_is_not_its_own_proof():
    X, labels = clusters([60, 30])
    X = np.concatenate([X, -X[:1]])
    labels = np.append(labels, 2).astype(np.int32)
    assert [one.row for one in find_outliers(X, labels, 3).found] == [90]
