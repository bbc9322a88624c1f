from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fishembed.images import crop_pixels


def noise(width: int, height: int) -> Image.Image:
    rng = np.random.default_rng(width * 1000 + height)
    return Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("size", [(300, 200), (199, 400), (224, 224), (37, 315), (225, 640)])
@pytest.mark.parametrize("fit", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_equals_open_clips_own_transform(size, fit, interpolation):
    from open_clip.transform import image_transform

    image = noise(*size)
    theirs = image_transform(
        224,
        is_train=False,
        mean=(0, 0, 0),
        std=(1, 1, 1),
        resize_mode=fit,
        interpolation=interpolation,
        fill_color=0,
    )(image)
    ours = crop_pixels(image, resize=224, crop=224, fit=fit, interpolation=interpolation)
    assert np.array_equal(ours, (theirs * 255).round().byte().permute(1, 2, 0).numpy())


@pytest.mark.parametrize("size", [(300, 200), (199, 400), (257, 1000)])
def test_equals_timms_own_transform(size):
    from timm.data import create_transform

    image = noise(*size)
    transform = create_transform(
        (3, 224, 224), interpolation="bicubic", mean=(0, 0, 0), std=(1, 1, 1), crop_pct=0.875
    )
    theirs = (transform(image) * 255).round().byte().permute(1, 2, 0).numpy()
    assert np.array_equal(crop_pixels(image, resize=256, crop=224), theirs)


@settings(max_examples=30, deadline=None)
@given(
    st.integers(1, 3000),
    st.integers(1, 3000),
    st.sampled_from(["shortest", "longest", "squash"]),
)
def test_any_size_gives_the_crop(width, height, fit):
    image = Image.new("RGB", (width, height), (10, 20, 30))
    pixels = crop_pixels(image, resize=64, crop=48 if fit != "longest" else 64, fit=fit, fill=7)
    assert pixels.shape == ((64, 64, 3) if fit == "longest" else (48, 48, 3))
    assert tuple(pixels[24, 24]) in {(10, 20, 30), (7, 7, 7)}


def test_one_row_too_few_is_filled():
    image = Image.new("RGB", (64, 55), (10, 20, 30))
    pixels = crop_pixels(image, resize=64, crop=56, fit="longest", fill=7)
    assert pixels.shape == (56, 56, 3)
    assert (pixels[:55] == (10, 20, 30)).all()
    assert (pixels[55] == 7).all()


def test_a_thread_of_a_picture_does_not_fill_the_memory():
    pixels = crop_pixels(noise(1, 100_000), resize=224, crop=224)
    assert pixels.shape == (224, 224, 3)
    assert crop_pixels(noise(100_000, 2), resize=224, crop=224).std() > 0
