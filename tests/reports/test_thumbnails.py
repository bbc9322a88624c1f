from __future__ import annotations

import base64
import io

from PIL import Image

from fishembed.images import ImageFiles
from fishembed.reports.thumbnails import BOX, thumbnail, thumbnails


def _image(small):
    return Image.open(io.BytesIO(base64.b64decode(small.uri.split(",")[1])))


def test_a_thumbnail_keeps_its_shape_and_fits(tmp_path):
    Image.new("RGB", (4000, 1000), "navy").save(tmp_path / "a.jpg")
    small = thumbnail(tmp_path / "a.jpg")
    assert (small.width, small.height) == _image(small).size == (BOX[0], BOX[0] // 4)


def test_small_pictures_are_not_enlarged(tmp_path):
    Image.new("RGB", (20, 10)).save(tmp_path / "a.png")
    assert (thumbnail(tmp_path / "a.png").width, thumbnail(tmp_path / "a.png").height) == (20, 10)


def test_orientation_is_applied(tmp_path):
    exif = Image.Exif()
    exif[274] = 6
    Image.new("RGB", (100, 50)).save(tmp_path / "a.jpg", exif=exif)
    assert thumbnail(tmp_path / "a.jpg").height == 100


def test_cmyk_and_alpha_come_out(tmp_path):
    Image.new("CMYK", (9, 9)).save(tmp_path / "a.jpg")
    Image.new("RGBA", (9, 9)).save(tmp_path / "a.png")
    assert all(_image(thumbnail(tmp_path / f"a.{s}")).mode == "RGB" for s in ("jpg", "png"))


def test_what_cannot_be_read_is_left_out(tmp_path):
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 not a picture")
    Image.new("RGB", (9, 9)).save(tmp_path / "a.png")
    made = thumbnails(
        ImageFiles(tmp_path), ["a.png", "broken.jpg", "gone.png", "nul\0.png", "x" * 999]
    )
    assert list(made) == ["a.png"]


def test_no_text_of_the_file_travels_with_it(tmp_path):
    exif = Image.Exif()
    exif[270] = "where the wreck lies"
    Image.new("RGB", (300, 300)).save(
        tmp_path / "a.jpg", exif=exif, comment=b"where the wreck lies"
    )
    assert b"wreck" not in base64.b64decode(thumbnail(tmp_path / "a.jpg").uri.split(",")[1])
