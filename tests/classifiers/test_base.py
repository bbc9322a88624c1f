from __future__ import annotations

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_sample_weight

from fishembed.classifiers import GaussianHead, LogisticHead, NeighborsHead
from fishembed.classifiers.base import log_prior, row_weights
from fishembed.errors import InputError

Y = np.repeat([0, 1, 2], 10)
X = (np.eye(3, 8)[Y] + 0.2 * np.random.default_rng(0).normal(size=(30, 8))).astype(np.float32)


CODES = np.repeat([0, 1, 2], [6, 3, 1])
CLASSES = np.array(["cod", "eel", "ray"])


@pytest.mark.parametrize("head", [GaussianHead(), LogisticHead(), NeighborsHead()])
@pytest.mark.parametrize("scale", [1e-30, 1e20])
def test_the_scale_of_a_row_changes_nothing(head, scale):
    """Squared in float32, rows of 1e20 would be infinitely long, and zeros once divided."""
    scaled = X * np.where(np.arange(30) % 2, np.float32(scale), 1)[:, None].astype(np.float32)
    expected = head.fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(head.predict_proba(scaled), expected, atol=1e-4)
    np.testing.assert_allclose(head.fit(scaled, Y).predict_proba(X), expected, atol=1e-3)


def test_balanced_weights_are_scikit_learns():
    ours = row_weights(CODES, CLASSES, "balanced", None)
    assert ours == pytest.approx(compute_sample_weight("balanced", CODES))


def test_weights_of_rows_and_classes_multiply():
    own = np.arange(10.0)
    ours = row_weights(CODES, CLASSES, {"eel": 3.0}, own)
    assert ours == pytest.approx(own * np.where(CODES == 1, 3, 1))


def test_bad_weights_are_refused():
    with pytest.raises(InputError, match="class_weight='rare'"):
        row_weights(CODES, CLASSES, "rare", None)
    with pytest.raises(InputError, match="all rows are 0"):
        row_weights(CODES, CLASSES, dict.fromkeys(CLASSES, 0.0), None)


def test_a_class_without_rows_has_the_share_of_half_a_row():
    assert np.exp(log_prior(CODES, 4)) == pytest.approx([0.6, 0.3, 0.1, 0.05])
