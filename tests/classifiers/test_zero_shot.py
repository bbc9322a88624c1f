from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax

from fishembed.classifiers import ZeroShotClassifier, class_anchors
from fishembed.errors import DimensionError, InputError


@pytest.fixture
def text() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(5, 16)).astype(np.float32)


def _cosines(X, text):
    X = X / np.linalg.norm(X, axis=1, keepdims=True)
    return X @ (text / np.linalg.norm(text, axis=1, keepdims=True)).T


def test_probabilities_are_the_softmax_of_scaled_cosines(text):
    X = np.random.default_rng(1).normal(size=(40, 16)) * 7
    head = ZeroShotClassifier(text, logit_scale=30).fit()
    assert head.decision_function(X) == pytest.approx(30 * _cosines(X, text), abs=1e-5)
    assert head.predict_proba(X) == pytest.approx(softmax(30 * _cosines(X, text), axis=1), abs=1e-5)
    assert (head.predict(X) == _cosines(X, text).argmax(1)).all()


def test_prompts_are_scaled_averaged_and_scaled_again():
    prompts = np.array([[[3.0, 0.0], [0.0, 1.0]], [[-2.0, 0.0], [-5.0, 0.0]]])
    assert class_anchors(prompts) == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [-1.0, 0.0]]))


def test_classes_keep_the_order_of_the_text(text):
    names = ["pike", "bream", "ide", "asp", "zander"]
    head = ZeroShotClassifier(text, classes=names).fit()
    assert head.classes_.tolist() == names
    assert head.predict(text).tolist() == names


def test_training_rows_change_nothing_where_there_is_text(text):
    X = np.random.default_rng(1).normal(size=(40, 16)).astype(np.float32)
    bare, fitted = (
        ZeroShotClassifier(text).fit(),
        ZeroShotClassifier(text).fit(X, np.arange(40) % 5),
    )
    assert (bare.predict_proba(X) == fitted.predict_proba(X)).all()


def test_without_text_the_anchors_are_means_of_unit_rows():
    X = np.array([[10.0, 0.0], [0.0, 1.0], [-4.0, 0.0]])
    head = ZeroShotClassifier(logit_scale=1).fit(X, ["a", "a", "b"])
    assert head.coef_ == pytest.approx(np.array([[0.5**0.5, 0.5**0.5], [-1.0, 0.0]]))


def test_half_precision_text_is_taken(text):
    assert ZeroShotClassifier(text.astype(np.float16)).fit().coef_.dtype == np.float32


@pytest.mark.parametrize("bad", [np.ones(4), np.ones((0, 4)), np.ones((1, 2, 3, 4))])
def test_text_of_a_wrong_shape_is_refused(bad):
    with pytest.raises(DimensionError, match="text_features is"):
        ZeroShotClassifier(bad).fit()


def test_text_that_cannot_be_used_is_refused(text):
    with pytest.raises(InputError, match="NaN"):
        ZeroShotClassifier(np.full((2, 3), np.nan)).fit()
    with pytest.raises(InputError, match="class 1 has length 0"):
        ZeroShotClassifier(np.array([[1.0, 0.0], [0.0, 0.0]])).fit()
    with pytest.raises(InputError, match="neither text_features nor X"):
        ZeroShotClassifier().fit()


def test_labels_and_widths_must_fit_the_text(text):
    with pytest.raises(DimensionError, match="pass one label for each"):
        ZeroShotClassifier(text, classes=["a"]).fit()
    with pytest.raises(InputError, match="repeats"):
        ZeroShotClassifier(text, classes=["a"] * 5).fit()
    with pytest.raises(InputError, match="label 9"):
        ZeroShotClassifier(text).fit(np.ones((1, 16)), [9])
    with pytest.raises(DimensionError, match=r"\(3, 8\).*\(n_images, 16\)"):
        ZeroShotClassifier(text).fit().predict(np.ones((3, 8)))
