"""JPEGs decoded by torchcodec, here on the CPU, which stands for the GPU."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image

from fishembed.errors import DeviceError, MissingExtraError
from fishembed.images import DeviceDecoder, crop_pixels, image_pixels, suits_device
from fishembed.images.decoding.image_pixels import torch_resize
from fishembed.images.decoding.on_device import axis_weights

GEOMETRY = {"resize": 64, "crop": 56, "fit": "shortest", "interpolation": "bicubic"}


def picture(width: int, height: int, mode: str = "RGB") -> Image.Image:
    small = np.random.default_rng(width).integers(0, 256, (9, 9, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC).convert(mode)


def saved(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **{"quality": 92, **options})
    return file.getvalue()


@pytest.fixture(scope="module")
def decode():
    return decoded(GEOMETRY)


def decoded(geometry):
    decoder = DeviceDecoder("cpu", geometry)
    return lambda files: decoder([np.frombuffer(bytearray(one), np.uint8) for one in files]).numpy()


@pytest.mark.parametrize("mode", ["RGB", "L"])
@pytest.mark.parametrize("size", [(320, 200), (200, 320), (64, 64), (1000, 120)])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}])
def test_pixels_are_those_of_exact_decoding_but_for_rounding(decode, mode, size, options):
    data = saved(picture(*size, mode), **options)
    assert suits_device(data, GEOMETRY)
    [found] = decode([data])
    exact = image_pixels(data, GEOMETRY).astype(int)
    assert found.shape == (56, 56, 3)
    assert np.abs(found - exact).mean() < 0.6
    assert np.abs(found - exact).max() <= 8


def test_squashed_pictures_too():
    geometry = {**GEOMETRY, "fit": "squash", "resize": 56}
    data = saved(picture(320, 200))
    [found] = decoded(geometry)([data])
    assert np.abs(found - image_pixels(data, geometry).astype(int)).mean() < 0.6


def test_many_sizes_come_back_in_their_order(decode):
    files = [saved(picture(80 + i, 90)) for i in range(9)]
    for data, found in zip(files, decode(files), strict=True):
        assert np.abs(found.astype(int) - decode([data])[0]).max() <= 1


def test_blocks_that_do_not_fit_into_memory_at_once_change_nothing(decode, monkeypatch):
    files = [saved(picture(80 + 40 * i, 90 + 7 * i)) for i in range(9)]
    together = decode(files)
    monkeypatch.setattr("fishembed.images.decoding.on_device._MOST_FLOATS", 100_000)
    assert np.abs(together.astype(int) - decode(files)).max() <= 1


@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
@pytest.mark.parametrize("size", [(300, 211), (57, 80), (400, 60)])
def test_weights_are_those_of_torchs_antialiasing(interpolation, size):
    pixels = np.asarray(picture(*size))
    geometry = {**GEOMETRY, "interpolation": interpolation}
    expected = crop_pixels(pixels, **geometry, resizer=torch_resize)
    data = saved(Image.fromarray(pixels), subsampling=0, quality=100)
    differs = np.abs(decoded(geometry)([data])[0].astype(int) - expected)
    assert differs.mean() < 0.6
    assert differs.max() <= 6


def test_weights_sum_to_one_within_each_image():
    import torch

    weights = axis_weights(
        [9, 300], [56, 60], [0, 2], 56, interpolation="bicubic", device=torch.device("cpu")
    )
    assert weights.shape == (2, 56, 300)
    assert not weights[0, :, 9:].any()
    torch.testing.assert_close(weights.sum(2), torch.ones(2, 56))


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
def test_other_files_are_left_to_the_cpu(data):
    assert not suits_device(data, GEOMETRY)


def test_pictures_that_cannot_fill_the_crop_or_are_too_large_are_left_too():
    data = saved(picture(200, 100))
    assert not suits_device(data, {**GEOMETRY, "resize": 50})
    assert not suits_device(data, GEOMETRY, 200 * 100 - 1)
    assert not suits_device(data, {**GEOMETRY, "interpolation": "lanczos"})


def test_a_device_that_cannot_decode_is_refused_at_once():
    with pytest.raises(DeviceError, match=r"JPEGs on 'meta'.*--decoding fast"):
        DeviceDecoder("meta", GEOMETRY)


def test_without_torchcodec_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "torchcodec.decoders", None)
    with pytest.raises(MissingExtraError, match=r"fishembed\[device\]"):
        DeviceDecoder("cpu", GEOMETRY)
