from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from fishembed.classifiers import GaussianHead
from fishembed.errors import DimensionError, InputError

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(4), [60, 30, 8, 3])
CENTRES = RNG.normal(size=(4, 10))
X = CENTRES[Y] + RNG.normal(size=(len(Y), 10))


def test_without_shrinkage_it_is_linear_discriminant_analysis():
    ours = GaussianHead(0, pseudo_count=0, prior="empirical", normalize="none").fit(X, Y)
    theirs = LinearDiscriminantAnalysis(solver="lsqr").fit(X, Y)
    # scikit-learn divides the scatter by n, not by n - n_classes
    theirs.covariance_ = theirs.covariance_ * len(Y) / (len(Y) - 4)
    coef = np.linalg.solve(theirs.covariance_, theirs.means_.T).T
    bias = -0.5 * np.einsum("kd,kd->k", coef, theirs.means_) + np.log(theirs.priors_)
    expected = X @ coef.T + bias
    difference = ours.logits(X) - expected
    assert difference - difference[:, :1] == pytest.approx(np.zeros_like(expected), abs=1e-8)


def test_full_shrinkage_is_the_nearest_mean():
    head = GaussianHead(1, pseudo_count=0, normalize="none").fit(X, Y)
    means = np.stack([X[c == Y].mean(axis=0) for c in range(4)])
    nearest = ((X[:, None] - means) ** 2).sum(axis=2).argmin(axis=1)
    assert (head.predict(X) == nearest).all()


def test_priors_differ_by_the_log_share():
    uniform = GaussianHead().fit(X, Y)
    empirical = GaussianHead(prior="empirical").fit(X, Y)
    shift = empirical.intercept_ - uniform.intercept_
    assert shift == pytest.approx(np.log(np.bincount(Y) / len(Y)))


def test_shrunken_means_rescue_a_class_of_two_rows():
    rng = np.random.default_rng(3)
    centres = rng.normal(size=(5, 100))
    y = np.repeat(np.arange(5), [60, 60, 60, 60, 2])
    rows = centres[y] + 2.5 * rng.normal(size=(len(y), 100))
    fresh = centres[4] + 2.5 * rng.normal(size=(300, 100))
    taken, shrunken = (GaussianHead(pseudo_count=k).fit(rows, y) for k in (0, 1))
    assert (shrunken.predict(fresh) == 4).mean() > (taken.predict(fresh) == 4).mean() + 0.1


def test_a_large_pseudo_count_leaves_the_text_alone():
    head = GaussianHead(1, pseudo_count=1e9, text_features=CENTRES, normalize="none").fit(X, Y)
    unit = CENTRES / np.linalg.norm(CENTRES, axis=1, keepdims=True)
    directions = head.coef_ / np.linalg.norm(head.coef_, axis=1, keepdims=True)
    centred = unit - unit.mean(axis=0)
    expected = centred / np.linalg.norm(centred, axis=1, keepdims=True)
    assert directions == pytest.approx(expected, abs=1e-4)


def test_one_row_a_class_is_enough():
    single = np.unique(Y, return_index=True)[1]
    assert GaussianHead().fit(X[single], Y[single]).score(X[single], Y[single]) == 1


def test_bad_arguments_are_refused():
    with pytest.raises(InputError, match=r"shrinkage=1\.5"):
        GaussianHead(1.5).fit(X, Y)
    with pytest.raises(InputError, match="pseudo_count=-1"):
        GaussianHead(pseudo_count=-1).fit(X, Y)
    with pytest.raises(InputError, match="prior='flat'"):
        GaussianHead(prior="flat").fit(X, Y)
    with pytest.raises(DimensionError, match="4 classes of width 10"):
        GaussianHead(text_features=CENTRES[:2]).fit(X, Y)
