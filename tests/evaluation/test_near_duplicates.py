from __future__ import annotations

import numpy as np
import pytest

from fishembed._base.perceptual_hash import hash_brightness
from fishembed.errors import InputError
from fishembed.evaluation.near_duplicates import (
    CopyDetector,
    Threshold,
    choose_threshold,
    near_duplicate_threshold,
)

RNG = np.random.default_rng(0)
HASHES = RNG.integers(0, 256, (6, 16), np.uint8)


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


def changed(row: np.ndarray, n_bits: int) -> np.ndarray:
    """Flip bits of a hash, as many in each view, so that no reflection is nearer."""
    flips = np.zeros((4, 32), bool)
    flips[:, : n_bits // 4] = True
    return row ^ np.packbits(flips.ravel())


def detector(hashes, groups=None):
    return CopyDetector(Threshold(0.95, "given", 0.8), hashes, groups or [""] * len(hashes))


def copies(hashes, cosine, groups=None):
    cosines = np.array([[cosine]], np.float32)
    return bool(detector(hashes, groups).copies([0], [1], cosines)[0, 0])


def test_pixels_alone_tell_a_copy():
    pair = np.stack([HASHES[0], changed(HASHES[0], 12)])
    assert copies(pair, 0.1)


def test_pixels_that_differ_more_need_the_features():
    pair = np.stack([HASHES[0], changed(HASHES[0], 28)])
    assert copies(pair, 0.85)
    assert not copies(pair, 0.7)
    assert not copies(np.stack([HASHES[0], HASHES[1]]), 0.99)


def test_a_burst_is_no_copy_unless_its_pixels_are_the_same():
    pair = np.stack([HASHES[0], changed(HASHES[0], 12)])
    assert not copies(pair, 0.99, ["track", "track"])
    assert copies(np.stack([HASHES[0], changed(HASHES[0], 4)]), 0.5, ["track", "track"])


def test_without_pixels_the_features_decide():
    pair = np.stack([HASHES[0], np.zeros(16, np.uint8)])
    assert copies(pair, 0.96)
    assert not copies(pair, 0.94)


def test_rows_with_a_copy_and_rows_that_are_only_alike():
    X = np.eye(6)[[0, 0, 1, 1, 2, 3]] + 0.01
    hashes = HASHES.copy()
    hashes[1] = hashes[0]
    copied, alike = detector(hashes).find_among(
        np.array([0, 2, 4]), X[[0, 2, 4]], np.array([1, 3, 5]), X[[1, 3, 5]], block=2
    )
    assert copied.tolist() == [True, False, False]
    assert alike.tolist() == [False, True, False]


def test_copies_of_three_quarters_of_the_images_do_not_move_the_threshold():
    photos = RNG.uniform(0, 255, (200, 12, 12)).repeat(10, 1).repeat(10, 2)
    X = RNG.normal(size=(200, 32)) + 2
    few = near_duplicate_threshold(X, np.full(200, -1), [""] * 200, hashes=hash_brightness(photos))
    many = near_duplicate_threshold(
        np.concatenate([X, X[:150] + RNG.normal(0, 0.02, (150, 32))]),
        np.full(350, -1),
        [""] * 350,
        hashes=hash_brightness(np.concatenate([photos, photos[:150]])),
    )
    assert abs(few.confirmed - many.confirmed) < 0.03
