from __future__ import annotations

import numpy as np

from fishembed.classifiers import LinearMap
from fishembed.sharing.agreement import Agreement

HEAD = LinearMap(np.eye(3), np.zeros(3), np.arange(3))
X = np.eye(3) + 0.2


def test_the_same_features_agree():
    found = Agreement.of(HEAD, X, 2 * X)  # heads and cosines know no length
    assert found.holds
    assert (found.n_images, found.same_top1) == (3, 3)
    assert "3 of 3 images get the same class" in str(found)


def test_one_other_class_or_one_low_cosine_is_no_agreement():
    turned = X[[0, 2, 2]]
    found = Agreement.of(HEAD, X, turned)
    assert (found.holds, found.same_top1) == (False, 2)
    assert found.least_cosine < 0.9
    assert not Agreement(100, 0.9989, 0.9999, 100, 0.0).holds
    assert not Agreement(100, 0.9999, 0.9999, 99, 0.0).holds
