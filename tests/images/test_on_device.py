"""JPEGs decoded by torchcodec, here on the CPU, which stands for the GPU."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from fishembed.errors import DeviceError, MissingExtraError
from fishembed.images import DeviceDecoder, picture_pixels

GEOMETRY = {"resize": 64, "crop": 56, "fit": "shortest", "interpolation": "bicubic"}


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(width).integers(0, 256, (9, 9, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **{"quality": 92, **options})
    return file.getvalue()


@pytest.fixture(scope="module")
def decoder():
    return DeviceDecoder("cpu", GEOMETRY)


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(320, 200), (200, 320), (64, 64), (1000, 120)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_pixels_are_those_of_exact_decoding_but_for_rounding(decoder, mode, size, options):
    data = saved(picture(*size, mode), **options)
    assert decoder.suits(data)
    [found] = decoder([data])
    exact = picture_pixels(data, GEOMETRY).astype(int)
    assert found.shape == (56, 56, 3)
    assert np.abs(found - exact).mean() < 0.6
    assert np.abs(found - exact).max() <= 8


def test_squashed_pictures_too():
    geometry = {**GEOMETRY, "fit": "squash", "resize": 56}
    data = saved(picture(320, 200))
    [found] = DeviceDecoder("cpu", geometry)([data])
    assert np.abs(found - picture_pixels(data, geometry).astype(int)).mean() < 0.6


def test_many_come_back_in_their_order(decoder):
    files = [saved(picture(80 + i, 90)) for i in range(9)]
    for data, found in zip(files, decoder(files), strict=True):
        np.testing.assert_array_equal(found, decoder([data])[0])


def turned() -> bytes:
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(picture(200, 100), exif=exif)


@pytest.mark.parametrize(
    "data",
    [
        saved(picture(200, 100), "PNG"),
        saved(picture(200, 100, "CMYK")),
        saved(picture(200, 100))[:-900],
        saved(picture(200, 100)) + b"more",
        turned(),
        b"",
        b"no picture\xff\xd9",
    ],
    ids=["PNG", "CMYK", "cut off", "followed by more", "turned", "empty", "text"],
)
def test_other_files_are_left_to_the_cpu(decoder, data):
    assert not decoder.suits(data)


def test_pictures_that_cannot_fill_the_crop_or_are_too_large_are_left_too():
    data = saved(picture(200, 100))
    assert not DeviceDecoder("cpu", {**GEOMETRY, "resize": 50}).suits(data)
    assert not DeviceDecoder("cpu", GEOMETRY, max_pixels=200 * 100 - 1).suits(data)
    assert not DeviceDecoder("cpu", {**GEOMETRY, "interpolation": "lanczos"}).suits(data)


def test_a_device_that_cannot_decode_is_refused_at_once():
    with pytest.raises(DeviceError, match=r"JPEGs on 'meta'.*--decoding fast"):
        DeviceDecoder("meta", GEOMETRY)


def test_without_torchcodec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(MissingExtraError, match=r"fishembed\[device\]"):
        DeviceDecoder("cpu", GEOMETRY)
