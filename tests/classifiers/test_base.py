from __future__ import annotations

import numpy as np
import pytest

from fishembed.classifiers import GaussianHead, LogisticHead, NeighborsHead

Y = np.repeat([0, 1, 2], 10)
X = (np.eye(3, 8)[Y] + 0.2 * np.random.default_rng(0).normal(size=(30, 8))).astype(np.float32)


@pytest.mark.parametrize("head", [GaussianHead(), LogisticHead(), NeighborsHead()])
@pytest.mark.parametrize("scale", [1e-30, 1e20])
def test_the_scale_of_a_row_changes_nothing(head, scale):
    """Squared in float32, rows of 1e20 would be infinitely long, and zeros once divided."""
    scaled = X * np.where(np.arange(30) % 2, np.float32(scale), 1)[:, None].astype(np.float32)
    expected = head.fit(X, Y).predict_proba(X)
    np.testing.assert_allclose(head.predict_proba(scaled), expected, atol=1e-4)
    np.testing.assert_allclose(head.fit(scaled, Y).predict_proba(X), expected, atol=1e-3)
