from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from fishembed.images.progressive import without_late_scans


def photo() -> Image.Image:
    from sklearn.datasets import load_sample_image

    return Image.fromarray(load_sample_image("china.jpg"))


def jpeg(image: Image.Image, **options: object) -> bytes:
    file = io.BytesIO()
    image.save(file, "JPEG", **{"quality": 90, "progressive": True, **options})
    return file.getvalue()


def decoded(data: bytes, scale: int) -> np.ndarray:
    image = Image.open(io.BytesIO(data))
    image.draft(None, (image.width // scale, image.height // scale))
    return np.asarray(image.convert("RGB"), np.float32)


KINDS = {
    "colour": jpeg(photo()),
    "full colour": jpeg(photo(), subsampling=0),
    "grey": jpeg(photo().convert("L")),
    "CMYK": jpeg(photo().convert("CMYK")),
    "restarts": jpeg(photo(), restart_marker_blocks=4),
    "with a preview": jpeg(photo(), exif=b"Exif\0\0" + jpeg(photo().resize((160, 120)))),
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("scale", [4, 8])
def test_a_cut_file_shows_nearly_the_same(kind, scale):
    whole = KINDS[kind]
    cut = without_late_scans(whole, scale)
    assert len(cut) < 0.75 * len(whole)
    shown, expected = decoded(cut, scale), decoded(whole, scale)
    assert shown.shape == expected.shape
    assert np.abs(shown - expected).mean() < 3


def test_what_was_cut_once_stays():
    cut = without_late_scans(KINDS["colour"], 4)
    assert without_late_scans(cut, 4) == cut


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(jpeg(photo(), progressive=False), id="baseline"),
        pytest.param(b"", id="empty"),
        pytest.param(b"\xff\xd8", id="a start alone"),
        pytest.param(b"\x89PNG\r\n\x1a\n" + bytes(100), id="PNG"),
        pytest.param(b"\xff\xd8\xff\xe0\x00\x00" + bytes(10), id="a segment of length 0"),
    ],
)
def test_other_files_stay_as_they_are(data):
    for scale in (1, 2, 4, 8):
        assert without_late_scans(data, scale) is data


@pytest.mark.parametrize("scale", [1, 2])
def test_large_scales_need_every_scan(scale):
    assert without_late_scans(KINDS["colour"], scale) is KINDS["colour"]


def test_broken_files_end_in_no_error():
    rng = np.random.default_rng(0)
    whole = KINDS["colour"]
    for _ in range(300):
        damaged = bytearray(whole[: rng.integers(2, len(whole))])
        for at in rng.integers(2, min(len(damaged), 700), 5):
            damaged[at] = rng.integers(256)
        assert len(without_late_scans(bytes(damaged), 4)) <= len(damaged) + 2
