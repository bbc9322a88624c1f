"""Small files that ask for much memory or time."""

from __future__ import annotations

import io
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from fishembed.errors import ImageError
from fishembed.images import decode, image_pixels, suits_device
from fishembed.images.decoding.decode_limits import (
    BYTES_PER_PIXEL,
    MOST_SCANS,
    DecodeMemory,
    bytes_needed,
    count_scans,
)
from fishembed.reports.thumbnails import open_reduced

GEOMETRY = {"resize": 8, "crop": 8}
SIDE = 500
PIXELS = SIDE * SIDE


def _file(mode: str, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(file, kind, **options)
    return file.getvalue()


def _many_scans(n: int) -> bytes:
    """Return a progressive JPEG whose last scan is there again and again."""
    rng = np.random.default_rng(0)
    file = io.BytesIO()
    image = Image.fromarray(rng.integers(0, 255, (64, 64, 3), dtype=np.uint8))
    image.save(file, "JPEG", progressive=True)
    data = file.getvalue()
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * n + b"\xff\xd9"


@pytest.mark.parametrize(
    ("mode", "kind"), [("RGB", "WEBP"), ("RGBA", "WEBP"), ("F", "TIFF"), ("RGBA", "TIFF")]
)
def test_what_needs_more_memory_than_the_limit_on_pixels_gives_is_refused(mode, kind):
    options = {"compression": "tiff_adobe_deflate"} if kind == "TIFF" else {}
    data = _file(mode, kind, **options)
    for decoding in ("exact", "fast"):
        with pytest.raises(ImageError, match="decoding it takes"):
            image_pixels(data, GEOMETRY, decoding=decoding, max_pixels=PIXELS)
        assert image_pixels(data, GEOMETRY, decoding=decoding, max_pixels=4 * PIXELS).shape


@pytest.mark.parametrize("mode", ["1", "L", "P", "I;16", "RGB", "RGBA", "LA"])
def test_plain_images_are_read_up_to_the_limit_on_pixels(mode):
    assert decode(_file(mode, "PNG"), max_pixels=PIXELS).size == (SIDE, SIDE)
    with pytest.raises(ImageError, match="above the limit"):
        decode(_file(mode, "PNG"), max_pixels=PIXELS - 1)


def test_threads_together_take_no_more_than_the_limit():
    memory, limit = DecodeMemory(), BYTES_PER_PIXEL * 100
    taken, most, lock = 0, 0, threading.Lock()

    def take(needed: int) -> None:
        nonlocal taken, most
        with memory.reserved(needed, 100):
            with lock:
                taken += needed
                most = max(most, taken)
            time.sleep(0.002)
            with lock:
                taken -= needed

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(take, [limit // 3, limit, limit // 2, 8] * 10))
    assert limit // 2 < most <= limit


def test_estimates_are_no_lower_than_what_is_taken():
    code = """
import io, sys, tracemalloc
from PIL import Image
from fishembed.images import image_pixels
from fishembed.images.decoding.decode_limits import bytes_needed
mode, kind, options = eval(sys.argv[1])
def high():
    line = next(l for l in open("/proc/self/status") if l.startswith("VmHWM"))
    return int(line.split()[1]) * 1024
file = io.BytesIO()
Image.new(mode, (4000, 3000)).save(file, kind, **options)
data = file.getvalue()
small = io.BytesIO()
Image.new(mode, (9, 9)).save(small, kind, **options)
image_pixels(small.getvalue(), {"resize": 8, "crop": 8})
open("/proc/self/clear_refs", "w").write("5")
before = high()
image_pixels(data, {"resize": 8, "crop": 8})
scans = 2 if options.get("progressive") else 1
print(high() - before, bytes_needed(Image.open(io.BytesIO(data)), scans))
"""
    kinds = [
        ("RGB", "WEBP", {}),
        ("RGBA", "PNG", {}),
        ("F", "TIFF", {"compression": "tiff_adobe_deflate"}),
        ("CMYK", "JPEG", {"progressive": True}),
        ("RGB", "JPEG", {"progressive": True, "subsampling": 0}),
    ]
    for kind in kinds:
        done = subprocess.run(
            [sys.executable, "-c", code, repr(kind)], capture_output=True, text=True, check=False
        )
        if "clear_refs" in done.stderr:
            pytest.skip("the system does not say how much memory was used at most")
        taken, needed = map(int, done.stdout.split())
        assert taken <= needed + (8 << 20), kind


def test_a_jpeg_of_many_scans_is_refused_wherever_it_is_read():
    bomb = _many_scans(MOST_SCANS + 1)
    for read in (
        lambda: decode(bomb),
        lambda: image_pixels(bomb, GEOMETRY),
        lambda: image_pixels(bomb, GEOMETRY, decoding="fast"),
        lambda: open_reduced(bomb, 100),
    ):
        with pytest.raises(ImageError, match="more than 100 scans"):
            read()


def test_usual_jpegs_have_few_scans():
    plain, progressive = _file("RGB", "JPEG"), _file("RGB", "JPEG", progressive=True)
    assert count_scans(plain) == 1
    assert 2 < count_scans(progressive) < 20
    assert count_scans(_many_scans(50)) < MOST_SCANS
    assert image_pixels(_many_scans(50), GEOMETRY).shape == (8, 8, 3)
    with_thumbnail = plain[:2] + b"\xff\xe1\x00\x0a\xff\xda\xff\xda\xff\xda\x00\x00" + plain[2:]
    assert count_scans(with_thumbnail) == 1
    for cut in range(0, len(progressive), 97):
        assert count_scans(progressive[:cut]) < 20


def test_bytes_needed_reads_headers_alone():
    for bits, mode in ((8, "L"), (32, "F"), (16, "I;16")):
        image = Image.open(io.BytesIO(_file(mode, "TIFF")))
        assert bytes_needed(image) >= PIXELS * bits // 8
    assert not suits_device(_many_scans(2), GEOMETRY, max_pixels=1)
