from __future__ import annotations

import h5py
import numpy as np
import pytest
from scipy.linalg import sqrtm
from scipy.optimize import minimize
from scipy.special import logsumexp, softmax
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from fishembed.classifiers import (
    AngularHead,
    AngularMap,
    BlendClassifier,
    LogisticHead,
    PriorCorrectedClassifier,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
    chunked_rows,
    load_head,
    save_head,
)
from fishembed.errors import DimensionError, InputError

TEXT = np.random.default_rng(5).normal(size=(3, 8))
RNG = np.random.default_rng(0)
Y = np.repeat(np.arange(4), [60, 30, 8, 3])
CENTRES = RNG.normal(size=(4, 10))
X = CENTRES[Y] + RNG.normal(size=(len(Y), 10)) * np.linspace(0.2, 2, 10)


def _rows(n_classes: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    y = rng.integers(0, n_classes, 200)
    return rng.normal(size=(200, 6)) * 3 + np.eye(6)[y] * 4, y


@pytest.mark.parametrize("n_classes", [2, 4])
@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 3.0, 1: 0.5}])
def test_the_optimum_is_scikit_learns(n_classes, class_weight):
    X, y = _rows(n_classes)
    weight = np.random.default_rng(1).uniform(0.5, 2, len(y))
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    ours = LogisticHead(10, class_weight=class_weight, tol=1e-8).fit(X, y, weight)
    theirs = LogisticRegression(C=10, class_weight=class_weight, tol=1e-8, max_iter=1000)
    assert ours.predict_proba(X) == pytest.approx(
        theirs.fit(unit, y, weight).predict_proba(unit), abs=1e-4
    )


def test_two_classes_have_two_rows():
    head = LogisticHead().fit(*_rows(2))
    assert head.coef_.shape == (2, 6)
    assert head.decision_function(_rows(2)[0]).shape == (200,)


def test_the_scale_of_a_row_does_not_matter():
    X, y = _rows(3)
    stretched = X * np.random.default_rng(1).uniform(0.1, 10, (len(X), 1))
    assert (
        LogisticHead().fit(X, y).predict(X) == LogisticHead().fit(stretched, y).predict(X)
    ).all()


def test_stopping_early_is_said():
    with pytest.warns(ConvergenceWarning, match="max_iter=2"):
        head = LogisticHead(max_iter=2).fit(*_rows(3))
    assert not head.converged_
    assert LogisticHead().fit(*_rows(3)).converged_


def test_single_precision_stays_single():
    X, y = _rows(3)
    assert LogisticHead().fit(X.astype(np.float32), y).coef_.dtype == np.float32


def test_one_class_is_refused():
    X, _ = _rows(3)
    with pytest.raises(InputError, match="at least two classes, got 1 class: 'asp'"):
        LogisticHead().fit(X, ["asp"] * len(X))


def _around(X, y, C, text, scale):
    """The objective of a regression around text weights, minimised by SciPy."""
    unit = text / np.linalg.norm(text, axis=1, keepdims=True)
    rows = X / np.linalg.norm(X, axis=1, keepdims=True)
    onehot = np.eye(len(text))[y]

    def objective(flat):
        delta = flat.reshape(text.shape)
        logits = rows @ (scale * unit + delta).T
        value = (logsumexp(logits, axis=1) - logits[np.arange(len(y)), y]).mean()
        gradient = (softmax(logits, axis=1) - onehot).T @ rows / len(y) + delta / C / len(y)
        return value + 0.5 * (delta**2).sum() / C / len(y), gradient.ravel()

    best = minimize(objective, np.zeros(text.size), jac=True, tol=1e-12, method="BFGS")
    return scale * unit + best.x.reshape(text.shape)


@pytest.mark.parametrize("C", [0.5, 100.0])
@pytest.mark.parametrize("n", [3, 60])  # fewer rows than dimensions, and more
def test_around_text_it_is_the_optimum_of_its_objective(C, n):
    rng = np.random.default_rng(n)
    y = np.arange(n) % 3
    X = TEXT[y] + 2 * rng.normal(size=(n, 8))
    head = LogisticHead(C, text_features=TEXT, logit_scale=10.0).fit(X, y)
    assert head.converged_
    assert not head.intercept_.any()
    expected = _around(X, y, C, TEXT, 10.0)
    unit = X / np.linalg.norm(X, axis=1, keepdims=True)
    assert head.predict_proba(X) == pytest.approx(softmax(unit @ expected.T, axis=1), abs=2e-4)


def test_a_strong_penalty_leaves_the_zero_shot_classifier():
    rng = np.random.default_rng(0)
    y = np.arange(30) % 3
    X = rng.normal(size=(30, 8))
    head = LogisticHead(1e-9, text_features=TEXT).fit(X, y)
    zero_shot = ZeroShotClassifier(TEXT).fit()
    assert head.logits(X) == pytest.approx(zero_shot.logits(X), abs=1e-5)
    with pytest.raises(DimensionError, match="3 classes of width 8"):
        LogisticHead(text_features=TEXT[:2]).fit(X, y)


def test_around_text_rows_read_by_chunks_give_the_same(tmp_path):
    y = np.arange(60) % 3
    X = (TEXT[y] + np.random.default_rng(1).normal(size=(60, 8))).astype(np.float32)
    with h5py.File(tmp_path / "rows.h5", "w") as file:
        streamed = LogisticHead(text_features=TEXT).fit(file.create_dataset("x", data=X), y)
    whole = LogisticHead(text_features=TEXT).fit(X, y)
    assert streamed.predict_proba(X) == pytest.approx(whole.predict_proba(X), abs=1e-3)


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
