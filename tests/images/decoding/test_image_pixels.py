from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import crop_pixels, decode, image_pixels

GEOMETRY = {"resize": 64, "crop": 56}


def photo(width: int = 900, height: int = 600) -> Image.Image:
    """Draw something smooth with edges, as photos are."""
    y, x = np.mgrid[0:height, 0:width] / height
    bands = [np.sin(5 * x + 3 * y), np.cos(4 * x * y), np.sign(np.sin(9 * x)) * 0.3 + y / 2]
    return Image.fromarray(np.uint8(127 + 100 * np.clip(np.stack(bands, -1), -1, 1)))


def encoded(image: Image.Image, kind: str = "JPEG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(photo(), exif=exif)


FILES = {
    "jpeg": encoded(photo()),
    "small jpeg": encoded(photo(70, 60)),
    "grey": encoded(photo().convert("L")),
    "cmyk": encoded(photo().convert("CMYK")),
    "turned": turned(),
    "progressive": encoded(photo(), progressive=True),
    "png": encoded(photo(), "PNG"),
    "palette": encoded(photo().quantize(64), "PNG"),
    "transparent": encoded(photo().convert("RGBA"), "PNG"),
    "webp": encoded(photo(), "WEBP"),
    "panorama": encoded(photo(3000, 100)),
}


@pytest.mark.parametrize("fit", ["shortest", "longest", "squash"])
@pytest.mark.parametrize("name", FILES)
def test_fast_pixels_are_nearly_the_exact_ones(name, fit):
    geometry = {**GEOMETRY, "fit": fit}
    exact = image_pixels(FILES[name], geometry)
    fast = image_pixels(FILES[name], geometry, decoding="fast")
    assert fast.shape == exact.shape == (56, 56, 3)
    assert fast.dtype == np.uint8
    assert np.abs(fast.astype(int) - exact).mean() < 2.0


@pytest.mark.parametrize("interpolation", ["nearest", "lanczos"])
def test_filters_that_torch_lacks_are_pillows(interpolation):
    geometry = {**GEOMETRY, "interpolation": interpolation}
    fast = image_pixels(FILES["png"], geometry, decoding="fast")
    assert np.array_equal(fast, image_pixels(FILES["png"], geometry))


def test_exact_is_what_it_was():
    assert np.array_equal(
        image_pixels(FILES["jpeg"], GEOMETRY), crop_pixels(decode(FILES["jpeg"]), **GEOMETRY)
    )


@pytest.mark.parametrize(
    ("size", "wanted", "decoded"),
    [
        ((900, 600), (192, 128), (225, 150)),
        ((900, 600), (450, 300), (450, 300)),
        ((900, 600), (451, 300), (900, 600)),
        ((4000, 3000), (597, 448), (1000, 750)),
    ],
)
def test_a_jpeg_is_decoded_no_smaller_than_asked(size, wanted, decoded):
    data = encoded(Image.new("RGB", size))
    assert decode(data, at_least=lambda size: wanted).size == decoded


def test_what_is_broken_is_told_in_the_same_words():
    whole = FILES["jpeg"]
    for data in (b"", b"no picture", whole[: len(whole) // 2]):
        with pytest.raises(ImageError) as exact:
            image_pixels(data, GEOMETRY)
        with pytest.raises(ImageError) as fast:
            image_pixels(data, GEOMETRY, decoding="fast")
        assert str(fast.value) == str(exact.value)
    with pytest.raises(ImageError, match="900 × 600 is above the limit"):
        image_pixels(whole, GEOMETRY, decoding="fast", max_pixels=1000)


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
