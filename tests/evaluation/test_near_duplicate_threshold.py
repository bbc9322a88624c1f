from __future__ import annotations

import numpy as np
import pytest

from fishembed.errors import InputError
from fishembed.evaluation.near_duplicate_threshold import choose_threshold, near_duplicate_threshold


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
        near_duplicate_threshold(np.eye(3), np.arange(3), [""] * 3, cosine=cosine)


@pytest.mark.parametrize("n_copies", [15, 30, 60])
def test_copies_do_not_set_the_threshold_that_shall_find_them(n_copies):
    rng = np.random.default_rng(0)
    features = 1.2 + rng.standard_normal((150, 128)).astype(np.float32)
    copies = features[:n_copies] + 0.1 * rng.standard_normal((n_copies, 128), np.float32)
    before = choose_threshold(features, np.arange(150), "image").cosine
    both = np.concatenate([features, copies])
    after = choose_threshold(both, np.arange(len(both)), "image").cosine
    cosines = [np.corrcoef(a, b)[0, 1] for a, b in zip(features, copies, strict=False)]
    assert 0.9 <= before <= after < min(cosines)
