from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import (
    AngularHead,
    AngularMap,
    BlendClassifier,
    PriorCorrectedClassifier,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
    chunked_rows,
    load_head,
    save_head,
)
from fishembed.errors import DimensionError, InputError

RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(4), [60, 30, 8, 3])
CENTRES = RNG.normal(size=(4, 10))
X = CENTRES[Y] + RNG.normal(size=(len(Y), 10)) * np.linspace(0.2, 2, 10)


def directions(rows: np.ndarray, shrinkage: float) -> np.ndarray:
    """Whitened rows of length 1, by the formulas of the textbook."""
    means = np.stack([X[c == Y].mean(axis=0) for c in range(4)])
    away = X - means[Y]
    covariance = away.T @ away / (len(Y) - 4)
    target = np.trace(covariance) / 10 * np.eye(10)
    root = np.linalg.inv(sqrtm((1 - shrinkage) * covariance + shrinkage * target).real)
    whitened = (rows - means.mean(axis=0)) @ root
    return whitened / np.linalg.norm(whitened, axis=1, keepdims=True)


@pytest.mark.parametrize("shrinkage", [0.0, 0.3, 1.0])
def test_it_is_logistic_regression_of_whitened_directions(shrinkage):
    head = AngularHead(3.0, shrinkage=shrinkage, tau=0, normalize="none").fit(X, Y)
    theirs = LogisticRegression(C=3.0, tol=1e-10, max_iter=10_000).fit(directions(X, shrinkage), Y)
    fresh = RNG.normal(size=(50, 10))
    expected = theirs.predict_proba(directions(fresh, shrinkage))
    assert head.predict_proba(fresh) == pytest.approx(expected, abs=2e-4)


def test_tau_takes_the_log_prior_from_the_logits():
    plain, corrected = (AngularHead(tau=tau).fit(X, Y) for tau in (0.0, 0.7))
    shift = corrected.logits(X) - plain.logits(X)
    assert shift == pytest.approx(np.tile(-0.7 * np.log(np.bincount(Y) / len(Y)), (len(Y), 1)))
    around = PriorCorrectedClassifier(AngularHead(tau=0), tau=0.7).fit(X, Y)
    assert around.logits(X) == pytest.approx(corrected.logits(X))


def test_how_far_out_a_row_lies_does_not_count():
    head = AngularHead(normalize="none").fit(X, Y)
    centre = np.stack([X[c == Y].mean(axis=0) for c in range(4)]).mean(axis=0)
    further = centre + 7 * (X - centre)
    assert head.logits(further) == pytest.approx(head.logits(X))


def test_rare_classes_are_found_more_often_than_without_the_correction():
    fresh = np.repeat(np.arange(4), 200)
    rows = CENTRES[fresh] + RNG.normal(size=(800, 10)) * np.linspace(0.2, 2, 10)
    rare = fresh >= 2
    plain, corrected = (AngularHead(tau=tau).fit(X, Y) for tau in (0, 1))
    found = [(head.predict(rows) == fresh)[rare].mean() for head in (plain, corrected)]
    assert found[1] > found[0] + 0.05


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_rows_read_by_chunks_are_learnt_as_rows_in_memory(tmp_path, monkeypatch, dtype):
    monkeypatch.setattr(chunked_rows, "CHUNK", 17)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        rows = file.create_dataset("rows", data=X.astype(dtype))
        streamed = AngularHead().fit(rows, Y)
        whole = AngularHead().fit(rows[:].astype(np.float32), Y)
        assert streamed.logits(rows[:]) == pytest.approx(whole.logits(rows[:]), abs=2e-2)
        assert (streamed.predict(rows) == whole.predict(rows[:])).all()
    single = np.unique(Y, return_index=True)[1]
    with h5py.File(tmp_path / "single.h5", "w") as file:  # no class has two rows
        rows = file.create_dataset("rows", data=X[single])
        assert (AngularHead().fit(rows, Y[single]).predict(X[single]) == Y[single]).all()


@pytest.mark.parametrize(
    "head",
    [
        AngularHead(),
        AngularHead(normalize="none"),
        PriorCorrectedClassifier(AngularHead(tau=0)),
        TemperatureCalibratedClassifier(AngularHead()),
        BlendClassifier(AngularHead(), ZeroShotClassifier(), weight=0.3),
    ],
)
def test_a_loaded_head_predicts_the_same(head, tmp_path):
    names = np.array(["pike", "bream", "äsche", "eel"])[Y]
    head.fit(X, names)
    assert not hasattr(head, "coef_")
    loaded = load_head(save_head(head, tmp_path / "head.npz", temperature=2.0))
    assert isinstance(loaded, AngularMap)
    assert loaded.logits(X) == pytest.approx(head.logits(X), rel=1e-9, abs=1e-9)
    assert loaded.predict(X).tolist() == head.predict(X).tolist()
    assert loaded.calibrated().logits(X) == pytest.approx(head.logits(X) / 2)
    assert (tmp_path / "head.npz").stat().st_size < 10_000
    with pytest.raises(DimensionError, match=r"\(101, 5\).*\(n_images, 10\)"):
        loaded.predict(X[:, :5])


def test_two_whitenings_make_no_one_map(tmp_path):
    head = BlendClassifier(AngularHead(), AngularHead(shrinkage=0.9), weight=0.5).fit(X, Y)
    assert head.score(X, Y) > 0.5
    assert not hasattr(head, "coef_")
    loaded = load_head(save_head(head, tmp_path / "head.npz"))
    assert len(loaded.fitted_sum.parts) == 2
    assert loaded.logits(X) == pytest.approx(head.logits(X))
    same = BlendClassifier(AngularHead(10), AngularHead(100), weight=0.5).fit(X, Y)
    loaded = load_head(save_head(same, tmp_path / "head.npz"))
    assert loaded.logits(X) == pytest.approx(same.logits(X))


def test_damaged_arrays_are_refused(tmp_path):
    from fishembed.errors import RunFormatError

    path = save_head(AngularHead().fit(X, Y), tmp_path / "head.npz")
    with np.load(path) as file:
        whole = dict(file)
    for name in ("whitening", "whitened_centre", "angular_weights"):
        np.savez(path, **{key: value for key, value in whole.items() if key != name})
        with pytest.raises(RunFormatError, match="damaged"):
            load_head(path)
        np.savez(path, **{**whole, name: whole[name][..., :3]})
        with pytest.raises(RunFormatError, match="damaged"):
            load_head(path)


def test_stopping_early_warns():
    with pytest.warns(ConvergenceWarning, match="max_iter=1"):
        assert not AngularHead(max_iter=1).fit(X, Y).converged_


@pytest.mark.parametrize("parameters", [{"C": 0}, {"shrinkage": 1.5}, {"tau": -1}])
def test_bad_arguments_are_refused(parameters):
    [(name, value)] = parameters.items()
    with pytest.raises(InputError, match=f"{name}={value}"):
        AngularHead(**parameters).fit(X, Y)
