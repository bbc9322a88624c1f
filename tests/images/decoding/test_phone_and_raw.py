"""Photos of phones (HEIC, AVIF) and of cameras (RAW): upright, or named with the command."""

from __future__ import annotations

import io
import sys

import numpy as np
import pytest
from PIL import Image, ImageDraw
from small_raw import dng

from fishembed.errors import ImageError
from fishembed.images import decode, open_dataset
from fishembed.images.decoding import formats
from fishembed.images.decoding.raw_photo import is_raw


def photo(width: int = 400, height: int = 300) -> Image.Image:
    image = Image.new("RGB", (width, height), (40, 80, 160))
    ImageDraw.Draw(image).rectangle((0, 0, width // 2, height // 2), fill=(220, 40, 30))
    return image


def encoded(kind: str, orientation: int = 1, image: Image.Image | None = None) -> bytes:
    if kind == "HEIF":
        pytest.importorskip("pillow_heif").register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    (image or photo()).save(buffer, kind, exif=exif.tobytes())
    return buffer.getvalue()


def red_corner(image: Image.Image) -> tuple[int, int]:
    """Return in which corner (down, across) the red rectangle lies."""
    pixels = np.asarray(image).astype(int)
    red = pixels[:, :, 0] - pixels[:, :, 2]
    height, width = red.shape
    halves = red[: height // 2 * 2, : width // 2 * 2].reshape(2, height // 2, 2, width // 2)
    down, across = np.unravel_index(halves.mean(axis=(1, 3)).argmax(), (2, 2))
    return int(down), int(across)


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 5, 6, 8])
def test_phone_photos_stand_as_the_same_jpeg_does(kind, orientation):
    jpeg = np.asarray(decode(encoded("JPEG", orientation))).astype(int)
    ours = np.asarray(decode(encoded(kind, orientation))).astype(int)
    assert ours.shape == jpeg.shape
    assert np.abs(ours - jpeg).mean() < 3


@pytest.mark.parametrize(
    ("orientation", "size", "corner"),
    [(1, (400, 300), (0, 0)), (6, (300, 400), (0, 1)), (8, (300, 400), (1, 0))],
)
def test_raw_without_preview_is_developed_upright(orientation, size, corner):
    pytest.importorskip("rawpy")
    image = decode(dng(np.asarray(photo()), orientation=orientation))
    assert image.size == size
    assert red_corner(image) == corner


@pytest.mark.parametrize(
    ("preview", "size"),
    [((800, 700), (800, 700)), ((160, 140), (1600, 1400))],
    ids=["large enough", "too small"],
)
def test_a_large_preview_stands_for_the_photo(preview, size):
    pytest.importorskip("rawpy")
    large = np.asarray(photo(1600, 1400))
    for orientation, turned, corner in ((1, size, (0, 0)), (6, size[::-1], (0, 1))):
        image = decode(dng(large, encoded("JPEG", image=photo(*preview)), orientation))
        assert image.size == turned
        assert red_corner(image) == corner


def test_plain_tiffs_are_not_raw():
    buffer = io.BytesIO()
    photo().save(buffer, "TIFF", save_all=True, append_images=[photo(40, 30)])
    assert not is_raw(buffer.getvalue())
    assert decode(buffer.getvalue()).size == (400, 300)
    assert is_raw(dng(np.asarray(photo())))
    assert not is_raw(b"II*\0\xff\xff\xff\xff")


@pytest.mark.parametrize("content", [b"II*\0\x10\0\0\0CR\2\0", b"FUJIFILMCCD-RAW" + bytes(400)])
def test_broken_raw_is_a_reason(content):
    with pytest.raises(ImageError):
        decode(content)


def test_broken_heic_is_a_reason():
    data = encoded("HEIF")
    for cut in (20, 200, len(data) // 2):
        with pytest.raises(ImageError):
            decode(data[:cut])


def test_what_a_missing_package_would_read_is_counted_with_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "has_package", lambda _module: False)
    formats.read_suffixes.cache_clear()
    try:
        (tmp_path / "cod").mkdir()
        photo().save(tmp_path / "cod/1.jpg")
        for name in ("2.HEIC", "3.cr2", "4.mp4", "5.avif", "6.jxl", "7.txt"):
            (tmp_path / "cod" / name).write_bytes(b"\0")
        unread = dict(open_dataset(tmp_path).unread)
    finally:
        formats.read_suffixes.cache_clear()
    assert set(unread) == {f"cod/{n}" for n in ("2.HEIC", "3.cr2", "4.mp4", "5.avif", "6.jxl")}
    assert unread["cod/2.HEIC"].endswith("pip install 'fishembed[heic]'")
    assert unread["cod/3.cr2"].endswith("pip install 'fishembed[raw]'")
    assert unread["cod/4.mp4"].endswith("pip install 'fishembed[video]'")
    assert "pip" not in unread["cod/6.jxl"]


@pytest.mark.parametrize(("kind", "extra"), [("HEIF", "heic"), ("AVIF", "heic"), ("DNG", "raw")])
def test_bytes_of_a_format_whose_package_is_missing_say_so(kind, extra, monkeypatch):
    data = dng(np.asarray(photo())) if kind == "DNG" else encoded(kind)
    for module in ("decode", "raw_photo"):
        room = sys.modules[f"fishembed.images.decoding.{module}"]
        monkeypatch.setattr(room, "has_package", lambda _module: False)
    with pytest.raises(ImageError, match=rf"pip install 'fishembed\[{extra}\]'"):
        decode(data)
