from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from make_run import make_run
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from fishembed.cache import import_vectors
from fishembed.reports.outcome import read_outcome
from fishembed.reports.projection import (
    VectorMap,
    landmarks,
    lay_out,
    map_vectors,
    principal_components,
)
from fishembed.reports.run import Run


@given(st.integers(0, 1000))
def test_coordinates_are_scikit_learns(seed):
    X = np.random.default_rng(seed).normal(size=(30, 6)) * [9, 5, 1, 1, 1, 1]
    xy, explained = principal_components(X)
    pca = PCA(2).fit(normalize(X))
    np.testing.assert_allclose(np.abs(xy), np.abs(pca.transform(normalize(X))), atol=1e-8)
    assert explained == pytest.approx(pca.explained_variance_ratio_.sum())


@pytest.mark.parametrize("X", [np.zeros((4, 3)), np.ones((4, 3)), np.arange(4.0)[:, None]])
def test_vectors_that_do_not_differ(X):
    xy, explained = principal_components(X)
    assert np.isfinite(xy).all()
    assert xy.shape == (4, 2)
    assert 0 <= explained <= 1


def test_neighbours_stay_neighbours():
    rng = np.random.default_rng(0)
    kind = np.arange(120) % 6
    X = rng.normal(size=(6, 20))[kind] + 0.1 * rng.normal(size=(120, 20))
    xy, method = lay_out(X)
    assert "t-SNE" in method
    nearest = np.linalg.norm(xy[:, None] - xy, axis=2) + np.diag(np.full(120, np.inf))
    assert (kind[nearest.argmin(axis=1)] == kind).all()
    assert np.array_equal(lay_out(X)[0], xy)


@pytest.mark.parametrize("X", [np.ones((80, 3)), np.random.default_rng(0).normal(size=(9, 3))])
def test_few_or_equal_vectors_are_laid_out_by_components(X):
    xy, method = lay_out(X)
    assert "principal components" in method
    assert xy.shape == (len(X), 2)


def test_landmarks_stand_among_their_points(tmp_path):
    outcome = read_outcome(Run.open(make_run(tmp_path / "run", n_classes=3, rows=30)))
    xy = np.random.default_rng(0).normal(size=(30, 2))
    marks = landmarks(outcome, VectorMap(np.arange(30), xy, "By hand.", 30), limit=2)
    assert [label for label, _ in marks] == np.bincount(outcome.predictions.true).argsort()[::-1][
        :2
    ].tolist()
    for label, place in marks:
        assert (xy[outcome.predictions.true == label] == place).all(axis=1).any()


def _store(tmp_path, paths):
    rng = np.random.default_rng(0)
    file = tmp_path / "vectors.npz"
    np.savez(
        file,
        features=rng.normal(size=(len(paths), 8)).astype(np.float32),
        labels=np.zeros(len(paths), dtype=int),
        paths=np.array(paths),
    )
    return import_vectors(file, tmp_path / "store.h5")


def test_the_stores_vectors_are_laid_out(tmp_path):
    paths = [f"{i}.png" for i in range(40)]
    store = tmp_path / "store.h5"
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40, paths=paths, store=store))
    _store(tmp_path, paths[::-1])
    layout = map_vectors(run, read_outcome(run))
    assert isinstance(layout, VectorMap)
    assert sorted(layout.rows) == list(range(40))
    assert layout.xy.shape == (40, 2)


def test_other_images_in_the_store_are_told(tmp_path):
    _store(tmp_path, ["other.png"])
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40, store=tmp_path / "store.h5"))
    assert "now holds other images" in map_vectors(run, read_outcome(run))


def test_a_store_that_is_gone_is_told(tmp_path):
    run = Run.open(make_run(tmp_path / "run", n_classes=4, rows=40))
    assert "the store is no longer at cache/gone.h5" in map_vectors(run, read_outcome(run))
