from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import NeighborsHead
from fishembed.errors import DimensionError, InputError

RNG = np.random.default_rng(0)
Y = RNG.integers(0, 3, 60)
X = (RNG.normal(size=(3, 5))[Y] + RNG.normal(size=(60, 5))) * RNG.uniform(0.1, 9, (60, 1))
FRESH = RNG.normal(size=(20, 5))


def test_neighbours_are_nearest_by_cosine():
    unit, fresh = (rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (X, FRESH))
    nearest = (fresh @ unit.T).argmax(axis=1)
    assert (NeighborsHead(1).fit(X, Y).predict(FRESH) == Y[nearest]).all()


def test_votes_are_the_probabilities():
    head = NeighborsHead(7, weights="uniform").fit(X, Y)
    votes = head.predict_proba(FRESH) * 7
    assert votes == pytest.approx(votes.round(), abs=1e-9)
    assert head.logits(FRESH).min() >= -709


def test_more_neighbours_than_rows_are_all_rows():
    head = NeighborsHead(500, weights="uniform").fit(X, Y)
    assert head.predict_proba(FRESH) == pytest.approx(np.tile(np.bincount(Y) / 60, (20, 1)))


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match="n_neighbors=0"):
        NeighborsHead(0).fit(X, Y)
    with pytest.raises(DimensionError, match="5 features as input"):
        NeighborsHead().fit(X, Y).predict(FRESH[:, :4])
