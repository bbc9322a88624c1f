from __future__ import annotations

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier

from fishembed.classifiers import (
    AngularHead,
    BlendClassifier,
    LinearHead,
    LogisticHead,
    NeighborsHead,
    PriorCorrectedClassifier,
    TemperatureCalibratedClassifier,
    ZeroShotClassifier,
    load_head,
    save_head,
)
from fishembed.errors import DimensionError, InputError, RunFormatError

RNG = np.random.default_rng(0)
Y = np.arange(90) % 3
X = (RNG.normal(size=(90, 8)) + 2 * np.eye(8)[Y]).astype(np.float32)
NAMES = np.array(["pike", "bream", "äsche"])[Y]


@pytest.mark.parametrize(
    "head",
    [
        LogisticHead(),
        LinearHead(normalize="none"),
        ZeroShotClassifier(),
        NeighborsHead(),
        NeighborsHead(1, weights="uniform", normalize="none"),
        BlendClassifier(NeighborsHead(), weight=0.4),
        BlendClassifier(LogisticHead(normalize="none"), AngularHead(), weight=0.5),
        PriorCorrectedClassifier(
            BlendClassifier(NeighborsHead(), LogisticHead(normalize="none"), weight=0.5)
        ),
        TemperatureCalibratedClassifier(NeighborsHead(3)),
    ],
)
@pytest.mark.parametrize("y", [Y, NAMES, NAMES.astype(object), Y == 1])
def test_a_loaded_head_predicts_the_same(head, y, tmp_path):
    fitted = clone(head).fit(X, y)
    loaded = load_head(save_head(fitted, tmp_path / "new" / "head.npz"))
    np.testing.assert_allclose(
        loaded.predict_proba(X), fitted.predict_proba(X), rtol=1e-12, atol=1e-300
    )
    assert loaded.predict(X).tolist() == fitted.predict(X).tolist()
    assert loaded.score(X, y) == fitted.score(X, y)
    assert loaded.kind == type(head).__name__
    assert getattr(loaded, "normalize", fitted.normalize) == fitted.normalize


@pytest.mark.parametrize("kind", [LogisticHead, NeighborsHead])
def test_fingerprint_and_names_come_back(kind, tmp_path):
    head = kind().fit(X, Y)
    save_head(head, tmp_path / "a.npz", feature_fingerprint="f00d", class_names=["a", "b", "ç"])
    loaded = load_head(tmp_path / "a.npz")
    assert (loaded.feature_fingerprint, loaded.class_names) == ("f00d", ("a", "b", "ç"))
    save_head(loaded, tmp_path / "b.npz", feature_fingerprint="f00d", class_names=["a", "b", "ç"])
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


@pytest.mark.parametrize("kind", [LogisticHead, NeighborsHead])
def test_a_loaded_head_is_an_estimator(kind, tmp_path):
    loaded = load_head(save_head(kind().fit(X, Y), tmp_path / "head.npz"))
    for other in (clone(loaded), pickle.loads(pickle.dumps(loaded)), FrozenEstimator(loaded)):
        assert (other.fit(X, Y).predict(X) == loaded.predict(X)).all()


def test_vectors_of_another_width_are_refused_with_both_shapes(tmp_path):
    loaded = load_head(save_head(LogisticHead().fit(X, Y), tmp_path / "head.npz"))
    with pytest.raises(DimensionError, match=r"\(90, 5\).*\(n_images, 8\)"):
        loaded.predict(X[:, :5])


def test_what_was_there_is_replaced_and_nothing_left_beside(tmp_path):
    path = tmp_path / "run" / "head.npz"
    path.parent.mkdir()
    path.write_bytes(b"old")
    save_head(LogisticHead().fit(X, Y), path)
    assert load_head(path).score(X, Y) > 0.5
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch):
    path = save_head(LogisticHead().fit(X, Y), tmp_path / "run" / "head.npz")
    before = path.read_bytes()

    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space"):
        save_head(LinearHead().fit(X, Y), path)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_arrays_is_refused(tmp_path):
    with pytest.raises(InputError, match="KNeighborsClassifier is no map of rows"):
        save_head(KNeighborsClassifier().fit(X, Y), tmp_path / "head.npz")
    with pytest.raises(DimensionError, match="1 class names for 3"):
        save_head(LogisticHead().fit(X, Y), tmp_path / "head.npz", class_names=["a"])


def test_broken_and_foreign_files_are_refused(tmp_path):
    path = save_head(LogisticHead().fit(X, Y), tmp_path / "run" / "head.npz")
    whole = path.read_bytes()
    for broken in (b"", b"not a zip", whole[: len(whole) // 2], whole[:-30]):
        path.write_bytes(broken)
        with pytest.raises(RunFormatError, match=r"head\.npz"):
            load_head(path)
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    path.write_bytes(flipped)
    with pytest.raises(RunFormatError):
        load_head(path)
    np.savez(path, features=X)
    with pytest.raises(RunFormatError):
        load_head(path)
    np.savez(path, about=np.array([object()]), allow_pickle=True)
    with pytest.raises(RunFormatError):
        load_head(path)
    with pytest.raises(RunFormatError, match="does not exist"):
        load_head(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "about",
    ['{"format": "other"}', '{"format": "fishembed-head", "version": 2}', "[]", "{"],
)
def test_other_formats_are_refused(about, tmp_path):
    np.savez(tmp_path / "head.npz", about=about, weights=X[:3], bias=X[:3, 0], classes=Y[:3])
    with pytest.raises(RunFormatError):
        load_head(tmp_path / "head.npz")


@pytest.mark.parametrize("head", [LogisticHead(), BlendClassifier(NeighborsHead(), weight=0.5)])
def test_the_temperature_travels_and_calms(head, tmp_path):
    head = clone(head).fit(X, Y)
    loaded = load_head(save_head(head, tmp_path / "head.npz", temperature=2.5))
    assert loaded.temperature == 2.5
    np.testing.assert_allclose(loaded.predict_proba(X), head.predict_proba(X), rtol=1e-12)
    calm = loaded.calibrated()
    assert calm.logits(X) == pytest.approx(head.logits(X) / 2.5, abs=1e-5)
    assert (calm.temperature, calm.class_names) == (1.0, loaded.class_names)
    assert load_head(save_head(loaded, tmp_path / "again.npz")).temperature == 2.5
