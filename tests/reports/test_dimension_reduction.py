from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.preprocessing import normalize

from fishembed.reports.dimension_reduction import (
    principal_components,
    reduce_dimensions,
    reduce_in_subprocess,
)


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
    xy, method = reduce_dimensions(X)
    assert "t-SNE" in method
    nearest = np.linalg.norm(xy[:, None] - xy, axis=2) + np.diag(np.full(120, np.inf))
    assert (kind[nearest.argmin(axis=1)] == kind).all()
    assert np.array_equal(reduce_dimensions(X)[0], xy)


@pytest.mark.parametrize("X", [np.ones((80, 3)), np.random.default_rng(0).normal(size=(9, 3))])
def test_few_or_equal_vectors_are_laid_out_by_components(X):
    xy, method = reduce_dimensions(X)
    assert "principal components" in method
    assert xy.shape == (len(X), 2)


def test_another_process_lays_out_the_same(monkeypatch):
    X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    xy, method = reduce_dimensions(X, seed=3)
    monkeypatch.setattr("fishembed.reports.dimension_reduction.reduce_dimensions", None)
    again, same_method = reduce_in_subprocess(X, seed=3)
    assert np.array_equal(again, xy)
    assert same_method == method


@pytest.mark.parametrize("program", ["/nowhere/python", "/bin/false", "/bin/true"])
def test_without_a_second_process_the_first_lays_out(monkeypatch, program):
    X = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    monkeypatch.setattr(sys, "executable", program)
    monkeypatch.setattr(
        "fishembed.reports.dimension_reduction.reduce_dimensions", lambda X, seed: (X, seed)
    )
    assert reduce_in_subprocess(X, seed=3)[1] == 3
