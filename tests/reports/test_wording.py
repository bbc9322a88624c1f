from __future__ import annotations

from fishembed.reports.wording import (
    images_of,
    interval,
    percent,
    rounded,
    split_images,
    split_photos,
)


def test_shares_are_written_in_percent():
    assert percent(0.8614) == "86.1"
    assert percent(0.8614, 0) == "86"
    assert interval((0.8361, 0.8829)) == "83.6 to 88.3"


def test_whole_percents_never_say_all_or_none_where_it_is_not_so():
    shares = (0, 0.00001, 0.004, 0.126, 0.996, 0.99999, 1)
    assert [rounded(share) for share in shares] == ["0", "0.1", "0.4", "13", "99.6", "99.9", "100"]


def test_pages_speak_of_photos():
    assert (split_photos("test"), split_photos("val", 1)) == ("test photos", "validation photo")


def test_numbered_classes_read_as_classes():
    assert [images_of(name) for name in ("goby", "94")] == ["goby", "images of 94"]


def test_images_are_named_by_their_split():
    names = [split_images(split) for split in ("test", "holdout", "all", "odd")]
    assert names == ["test images", "held-out images", "images", "images"]
