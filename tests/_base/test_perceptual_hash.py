"""The hash stays when a photo is changed a little, and tells other photos apart."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from fishembed._base.perceptual_hash import bit_distances, hash_brightness, hash_signs


def photo(seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (9, 9)).astype(np.uint8)
    image = Image.fromarray(coarse).resize((112, 112), Image.Resampling.BICUBIC)
    return np.asarray(image, np.float32)


def bits(a: np.ndarray, b: np.ndarray) -> float:
    signs = [hash_signs(hash_brightness(one[None])) for one in (a, b)]
    return float(bit_distances(*signs)[0, 0])


@pytest.mark.parametrize(
    "change",
    [
        lambda image: image * 0.7,
        lambda image: image + 20,
        lambda image: image + np.random.default_rng(0).normal(0, 5, image.shape),
        np.fliplr,
        np.flipud,
        lambda image: np.rot90(image, 2),
    ],
)
def test_a_changed_photo_has_nearly_the_same_hash(change):
    assert max(bits(photo(seed), change(photo(seed))) for seed in range(20)) <= 10


def test_other_photos_are_far():
    hashes = hash_brightness(np.stack([photo(seed) for seed in range(60)]))
    distances = bit_distances(hash_signs(hashes), hash_signs(hashes))
    assert (np.diagonal(distances) == 0).all()
    assert distances[~np.eye(60, dtype=bool)].min() > 24


def test_a_photo_of_one_colour_is_not_known_and_far_from_all():
    hashes = hash_brightness(np.stack([np.full((112, 112), 90.0), photo(1)]))
    assert not hashes[0].any()
    distances = bit_distances(hash_signs(hashes), hash_signs(hashes))
    np.testing.assert_array_equal(distances, [[64, 64], [64, 0]])
