"""A changed copy of a photo is told from the next photo of a burst."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import ndimage

from fishembed.audit.checks.duplicates import find_duplicates
from fishembed.audit.photo_comparison import (
    SAME_PHOTO,
    PhotoComparison,
    agreement,
    small_grey,
)
from fishembed.evaluation.near_duplicate_threshold import Threshold
from fishembed.evaluation.photo_witness import PhotoWitness
from fishembed.images import ImageFiles


def scene(seed: int, moved: int = 0) -> Image.Image:
    """Draw a ground of stones with a fish on it, `moved` pixels on."""
    rng = np.random.default_rng(seed)
    ground = ndimage.gaussian_filter(rng.normal(0, 60, (180, 240)), 3) * 6 + 110
    fish = np.random.default_rng(seed + 500)
    body = ndimage.gaussian_filter(fish.normal(0, 60, (70, 110)), 2) * 6 + 150
    ground[50:120, 50 + moved : 160 + moved] = body
    pixels = np.clip(ground, 0, 255).astype(np.uint8)
    return Image.fromarray(np.stack([pixels, pixels, 255 - pixels // 2], axis=2))


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def jpeg(image: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=60)
    return Image.open(buffer)


CHANGES = {
    "re-encoded": jpeg,
    "resized": lambda image: image.resize((150, 112), Image.Resampling.BICUBIC),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.2),
    "cropped": lambda image: image.crop((12, 9, 228, 171)),
    "cropped at a corner": lambda image: image.crop((0, 0, 216, 162)),
    "cropped below": lambda image: image.crop((0, 0, 240, 162)),
    "mirrored": lambda image: image.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
    "upside down": lambda image: image.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
    "turned": lambda image: image.rotate(5, Image.Resampling.BICUBIC),
}


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_agree(change):
    found = [
        agreement(small_grey(png(CHANGES[change](scene(seed)))), small_grey(png(scene(seed))))
        for seed in range(8)
    ]
    assert np.mean(np.array(found) >= SAME_PHOTO) >= 0.9


def test_the_next_of_a_burst_and_other_photos_do_not():
    for seed in range(8):
        first = small_grey(png(scene(seed)))
        for other in (scene(seed, moved=25), scene(seed + 1)):
            assert agreement(first, small_grey(png(other))) < SAME_PHOTO


def test_photos_of_one_colour_are_not_all_one_photo():
    plain = [small_grey(png(Image.new("RGB", (80, 60), colour))) for colour in ("red", "blue")]
    assert agreement(*plain) < SAME_PHOTO


@pytest.fixture
def files(workspace):
    """Import features of four photos: a copy, a burst, another one and one that is gone."""
    images = [scene(0), CHANGES["cropped at a corner"](scene(0)), scene(0, moved=25), scene(9)]
    (workspace / "p").mkdir()
    for number, image in enumerate(images):
        image.save(workspace / f"p/{number}.png")
    return ImageFiles(workspace / "p")


class Rows:
    """What a comparison asks of a store."""

    paths = ("0.png", "1.png", "2.png", "3.png", "gone.png")
    groups = ("",) * 5
    boxes = np.full((5, 4), np.nan)
    times = np.full(5, np.nan)


def test_pairs_of_a_store(files):
    found = PhotoComparison(Rows(), files).same_photo([0, 0, 0, 0], [1, 2, 3, 4])
    assert found.tolist() == [1, 0, 0, -1]


def test_the_photos_decide_what_is_a_copy_and_what_a_scene(files):
    rng = np.random.default_rng(0)
    features = np.eye(8)[[0, 0, 0, 3, 4]] + rng.normal(0, 0.02, (5, 8))
    threshold = Threshold(0.95, "given", 0.8)
    witness = PhotoWitness(threshold, np.zeros((5, 16), np.uint8), Rows.groups)
    found = find_duplicates(
        features.astype(np.float32),
        list("abcde"),
        np.array([""] * 5),
        threshold,
        witness,
        comparison=PhotoComparison(Rows(), files),
    )
    assert [group.rows for group in found.groups] == [(0, 1)]
    assert [group.rows for group in found.scenes] == [(0, 1, 2)]


def test_parts_of_photos_are_left_to_their_hashes(files):
    class Boxes(Rows):
        boxes = np.zeros((5, 4))

    comparison = PhotoComparison(Boxes(), files)
    assert not comparison.comparable.any()
