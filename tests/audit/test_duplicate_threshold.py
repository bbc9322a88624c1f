from __future__ import annotations

import numpy as np
import pytest

from fishembed.audit.duplicate_threshold import choose_threshold, given_threshold
from fishembed.errors import InputError


def test_the_threshold_holds_when_labels_are_wrong():
    rng = np.random.default_rng(0)
    features = (2 + rng.standard_normal((600, 32))).astype(np.float32)
    labels = rng.integers(0, 5, 600)
    before = choose_threshold(features, labels, "class").cosine
    features[:20] = features[20:40]  # copies, most under another label
    after = choose_threshold(features, labels, "class").cosine
    assert 0.91 < before < after < before + 0.03 < 0.9999


@pytest.mark.parametrize("cosine", [0, -1, 1.5])
def test_a_threshold_that_is_no_cosine(cosine):
    with pytest.raises(InputError, match="cosine"):
        given_threshold(cosine)
