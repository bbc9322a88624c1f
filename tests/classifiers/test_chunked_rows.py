"""Heads that read their training set by blocks."""

from __future__ import annotations

import h5py
import numpy as np
import pytest

from fishembed.classifiers import LinearHead, LogisticHead, chunked_rows, logistic_path
from fishembed.classifiers.solver import minibatch_training
from fishembed.errors import InputError


class Sliced:
    """A matrix that only gives slices, and remembers how many rows were out at once."""

    def __init__(self, rows: np.ndarray) -> None:
        self._rows = rows
        self.shape, self.dtype = rows.shape, rows.dtype
        self.most = 0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, key: slice) -> np.ndarray:
        assert isinstance(key, slice)
        self.most = max(self.most, key.stop - key.start)
        return self._rows[key]

    def __array__(self, *args, **options):
        raise AssertionError("all of it was read into memory")


@pytest.fixture
def clouds():
    """Give 3,000 vectors in order of their 4 classes, far from the origin."""
    rng = np.random.default_rng(0)
    y = np.repeat(["a", "b", "c", "d"], [1500, 900, 500, 100])
    centres = dict(zip("abcd", rng.standard_normal((4, 12)), strict=True))
    X = 3 + np.stack([centres[label] for label in y]) + rng.standard_normal((3000, 12))
    return X.astype(np.float32), y


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch):
    monkeypatch.setattr(chunked_rows, "CHUNK", 256)
    monkeypatch.setattr(minibatch_training, "RUN", 16)


@pytest.mark.parametrize("normalize", ["l2", "none"])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_logistic_regression_comes_to_the_same_optimum(clouds, normalize, class_weight):
    X, y = clouds
    options = {"normalize": normalize, "class_weight": class_weight}
    source = Sliced(X)
    heads = logistic_path(source, y, [0.1, 10.0], **options)
    for head, expected in zip(heads, logistic_path(X, y, [0.1, 10.0], **options), strict=True):
        assert head.converged_
        np.testing.assert_allclose(
            head.predict_proba(X), expected.predict_proba(X), atol=2e-3, rtol=0
        )
    assert source.most <= 1024


def test_the_linear_head_learns_from_blocks(clouds):
    X, y = clouds
    source = Sliced(X)
    head = LinearHead(epochs=4).fit(source, y)
    whole = LinearHead(epochs=4).fit(X, y)
    assert abs(head.score(X, y) - whole.score(X, y)) < 0.03
    assert head.history_[-1].train_accuracy == pytest.approx(head.score(X, y))
    assert head.history_[-1].train_loss == pytest.approx(whole.history_[-1].train_loss, abs=0.05)
    again = LinearHead(epochs=4).fit(Sliced(X), y)
    assert head.coef_.tobytes() == again.coef_.tobytes()
    assert source.most <= 1024
    assert (head.predict(source) == head.predict(X)).all()


def test_a_half_precision_dataset_on_disk(clouds, tmp_path):
    X, y = clouds
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"] = X.astype(np.float16)
        head = LogisticHead().fit(file["x"], y)
        assert LinearHead(epochs=2).fit(file["x"], y).n_features_in_ == 12
    expected = LogisticHead().fit(X.astype(np.float16).astype(np.float32), y)
    assert (head.predict(X) == expected.predict(X)).mean() > 0.998


def test_what_cannot_be_learnt_from(clouds):
    X, y = clouds
    X = X.copy()
    X[700, 3] = np.nan
    for head in (LinearHead(epochs=1), LogisticHead()):
        with pytest.raises(InputError, match="row 700 of X is not finite"):
            head.fit(Sliced(X), y)
        with pytest.raises(ValueError, match="inconsistent numbers"):
            head.fit(Sliced(X), y[:-1])
        with pytest.raises(InputError, match="at least two classes"):
            head.fit(Sliced(X), np.zeros(len(X)))
