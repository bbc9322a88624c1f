from __future__ import annotations

from fishembed.reports.wording import images_of, interval, percent, split_images


def test_shares_are_written_in_percent():
    assert percent(0.8614) == "86.1"
    assert percent(0.8614, 0) == "86"
    assert interval((0.8361, 0.8829)) == "83.6 to 88.3"


def test_numbered_classes_read_as_classes():
    assert [images_of(name) for name in ("goby", "94")] == ["goby", "images of 94"]


def test_images_are_named_by_their_split():
    names = [split_images(split) for split in ("test", "holdout", "all", "odd")]
    assert names == ["test images", "held-out images", "images", "images"]
