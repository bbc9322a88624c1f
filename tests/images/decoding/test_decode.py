from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import decode, quiet_decoding, read_bytes


def saved(image: Image.Image, format_: str, **options) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_, **options)
    return buffer.getvalue()


def gradient(mode: str = "RGB") -> Image.Image:
    x = np.linspace(0, 255, 32).astype(np.uint8)
    pixels = np.stack([np.tile(x, (16, 1)), np.tile(x[::-1], (16, 1)), np.full((16, 32), 40)], -1)
    return Image.fromarray(pixels.astype(np.uint8)).convert(mode)


@pytest.mark.parametrize("format_", ["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"])
def test_every_format_becomes_rgb(format_):
    image = decode(saved(gradient(), format_))
    assert (image.mode, image.size) == ("RGB", (32, 16))


def test_png_is_exact():
    assert np.array_equal(decode(saved(gradient(), "PNG")), gradient())


@pytest.mark.parametrize("turn", range(1, 9))
def test_exif_orientation_is_applied(turn):
    upright = Image.fromarray(np.zeros((8, 16, 3), np.uint8))
    upright.paste((255, 0, 0), (0, 0, 4, 4))
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }.get(turn)
    stored = upright if undo is None else upright.transpose(undo)
    exif = Image.Exif()
    exif[0x0112] = turn
    for format_ in ("PNG", "TIFF"):
        assert np.array_equal(decode(saved(stored, format_, exif=exif)), upright)


def test_broken_exif_leaves_the_pixels():
    data = saved(gradient(), "JPEG", exif=b"Exif\0\0MM\0*" + b"\xff" * 40)
    with quiet_decoding():
        assert decode(data).size == (32, 16)


def test_alpha_is_laid_over_white():
    clear = Image.new("RGBA", (4, 4), (10, 200, 30, 0))
    assert np.asarray(decode(saved(clear, "PNG"))).min() == 255
    half = Image.new("LA", (4, 4), (0, 128))
    assert np.asarray(decode(saved(half, "PNG"))).mean() == pytest.approx(127, abs=1)


def test_palette_with_transparency_is_laid_over_white():
    image = gradient().convert("P")
    image.info["transparency"] = image.getpixel((0, 0))
    assert decode(saved(image, "PNG")).getpixel((0, 0)) == (255, 255, 255)


def test_transparent_colour_of_a_plain_png_is_white():
    data = saved(Image.new("RGB", (4, 4), (9, 9, 9)), "PNG", transparency=(9, 9, 9))
    assert decode(data).getpixel((1, 1)) == (255, 255, 255)


def test_sixteen_bits_keep_their_range():
    grey = np.array([[0, 257 * 100, 65535]], np.uint16)
    image = decode(saved(Image.fromarray(grey), "PNG"))
    assert np.asarray(image)[0, :, 0].tolist() == [0, 100, 255]


def test_float_and_wide_grey():
    unit = decode(saved(Image.fromarray(np.array([[0.0, 0.5]], np.float32)), "TIFF"))
    assert np.asarray(unit)[0, :, 1].tolist() == [0, 128]
    wide = decode(saved(Image.fromarray(np.array([[-10, 90]], np.int32)), "TIFF"))
    assert np.asarray(wide)[0, :, 2].tolist() == [0, 255]
    flat = decode(saved(Image.fromarray(np.full((2, 2), 7, np.int32)), "TIFF"))
    assert np.asarray(flat).max() == 0
    with pytest.raises(ImageError, match="not finite"):
        decode(saved(Image.fromarray(np.array([[np.nan]], np.float32)), "TIFF"))


def test_cmyk_becomes_rgb():
    red = Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    r, g, b = decode(saved(red, "JPEG", quality=95)).getpixel((4, 4))
    assert r > 200
    assert max(g, b) < 60


def test_first_frame_of_an_animation():
    frames = [Image.new("RGB", (4, 4), colour) for colour in ("red", "blue")]
    data = saved(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert decode(data).getpixel((0, 0)) == (255, 0, 0)


def test_pixel_limit_is_checked_before_decoding():
    data = saved(Image.new("1", (20_000, 20_000)), "PNG")
    with quiet_decoding(), pytest.raises(ImageError, match="20000 × 20000 is above the limit"):
        decode(data)
    with pytest.raises(ImageError, match="limit"):
        decode(data)
    assert decode(saved(gradient(), "PNG"), max_pixels=512).size == (32, 16)
    with pytest.raises(ImageError, match="511"):
        decode(saved(gradient(), "PNG"), max_pixels=511)


def test_quiet_decoding_gives_pillows_limit_back():
    before = Image.MAX_IMAGE_PIXELS
    with quiet_decoding():
        assert Image.MAX_IMAGE_PIXELS is None
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "empty"),
        (b"not a picture at all", "known format"),
        (saved(gradient().resize((300, 300)), "JPEG")[:-3000], "truncated"),
        (saved(gradient(), "PNG")[:60], "cannot be decoded"),
    ],
)
def test_what_cannot_be_read_says_why(data, reason):
    with pytest.raises(ImageError, match=reason):
        decode(data)


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(["JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF"]),
    st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=8),
)
def test_mutated_bytes_never_raise_anything_else(format_, changes):
    data = bytearray(saved(gradient(), format_))
    for place, value in changes:
        data[int(place * (len(data) - 1))] = value
    with quiet_decoding():
        try:
            assert decode(bytes(data), max_pixels=10_000_000).mode == "RGB"
        except ImageError as error:
            assert "\n" not in str(error)  # noqa: PT017 - either outcome is fine


def test_read_bytes(tmp_path):
    file = tmp_path / "a.jpg"
    file.write_bytes(b"abc")
    assert read_bytes(file) == b"abc"
    with pytest.raises(ImageError, match="missing"):
        read_bytes(tmp_path / "b.jpg")
    with pytest.raises(ImageError, match="larger than 2"):
        read_bytes(file, max_bytes=2)
    with pytest.raises(ImageError, match="not a regular file"):
        read_bytes(tmp_path)


def test_quiet_runs_that_overlap_stay_quiet_until_the_last_ends():
    before = Image.MAX_IMAGE_PIXELS
    first, second = quiet_decoding(), quiet_decoding()
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert Image.MAX_IMAGE_PIXELS is None
    second.__exit__(None, None, None)
    assert before == Image.MAX_IMAGE_PIXELS
