"""A changed copy of a photo is told from the next photo of a burst."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageEnhance
from scipy import ndimage

from fishembed.audit.checks.duplicates import find_duplicates
from fishembed.audit.image_comparison import ImageComparison
from fishembed.evaluation.near_duplicates import CopyDetector, Threshold
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


@pytest.fixture
def same(workspace):
    """Return what tells whether pairs of images are one photo."""

    def compare(pairs):
        class Store:
            paths = tuple(f"{number}.png" for number in range(2 * len(pairs)))
            boxes = np.full((len(paths), 4), np.nan)
            times = np.full(len(paths), np.nan)

        for number, image in enumerate(image for pair in pairs for image in pair):
            image.save(workspace / f"{number}.png")
        rows = range(0, 2 * len(pairs), 2)
        comparison = ImageComparison(Store(), ImageFiles(workspace))
        return comparison.are_copies(list(rows), [row + 1 for row in rows])

    return compare


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("copy_first", [False, True])
def test_changed_copies_agree(change, copy_first, same):
    pairs = [(scene(seed), CHANGES[change](scene(seed))) for seed in range(4)]
    assert same([pair[::-1] if copy_first else pair for pair in pairs]).tolist() == [1] * 4


def test_a_copy_cut_off_at_white_agrees(same):
    bright = [ImageEnhance.Brightness(scene(seed)).enhance(1.4) for seed in range(4)]
    assert min(np.mean(np.asarray(image)[..., 1] == 255) for image in bright) > 0.03
    assert same([(scene(seed), image) for seed, image in enumerate(bright)]).tolist() == [1] * 4


def test_noise_of_encoding_in_a_murky_photo_is_no_difference(same):
    murky = [ImageEnhance.Contrast(scene(seed)).enhance(0.25) for seed in range(4)]
    assert same([(image, jpeg(image)) for image in murky]).tolist() == [1] * 4


def test_the_next_of_a_burst_and_other_photos_do_not(same):
    pairs = [(scene(seed), scene(seed, moved=moved)) for seed in range(3) for moved in (4, 25)]
    pairs += [(scene(seed), scene(seed + 1)) for seed in range(3)]
    assert not same(pairs).any()


def test_photos_of_one_colour_are_not_all_one_photo(same):
    assert not same([(Image.new("RGB", (80, 60), "red"), Image.new("RGB", (80, 60), "blue"))]).any()


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
    found = ImageComparison(Rows(), files).are_copies([0, 0, 0, 0], [1, 2, 3, 4])
    assert found.tolist() == [1, 0, 0, -1]


def test_the_photos_decide_what_is_a_copy_and_what_a_scene(files):
    rng = np.random.default_rng(0)
    features = np.eye(8)[[0, 0, 0, 3, 4]] + rng.normal(0, 0.02, (5, 8))
    threshold = Threshold(0.95, "given", 0.8)
    detector = CopyDetector(threshold, np.zeros((5, 16), np.uint8), Rows.groups)
    found = find_duplicates(
        features.astype(np.float32),
        list("abcde"),
        np.array([""] * 5),
        threshold,
        detector,
        comparison=ImageComparison(Rows(), files),
    )
    assert [group.rows for group in found.groups] == [(0, 1)]
    assert [group.rows for group in found.scenes] == [(0, 1, 2)]


def test_parts_of_photos_are_left_to_their_hashes(files):
    class Boxes(Rows):
        boxes = np.zeros((5, 4))

    comparison = ImageComparison(Boxes(), files)
    assert not comparison.comparable.any()
