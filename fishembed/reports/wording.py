"""Numbers and lists written as in a sentence."""

from __future__ import annotations

from collections.abc import Sequence

_SPLIT_IMAGES = {
    "train": "training images",
    "val": "validation images",
    "test": "test images",
    "holdout": "held-out images",
    "all": "images",
}


def split_images(split: str) -> str:
    """Return the name of the scored images: "test images"."""
    return _SPLIT_IMAGES.get(split, "images")


def split_photos(split: str, n: int = 2) -> str:
    """Return the name of the scored images on pages: "test photos", "test photo" for one."""
    noun = split_images(split).replace("images", "photos")
    return noun.removesuffix("s") if n == 1 else noun


def rounded(share: float) -> str:
    """Write a share in whole percent, with a decimal where 0 or 100 would not be true."""
    whole = percent(share, 0)
    if whole not in ("0", "100") or share in (0, 1):
        return whole
    return percent(min(max(share, 0.001), 0.999))


def percent(share: float, decimals: int = 1) -> str:
    """Write a share between 0 and 1 in percent, without the sign."""
    return f"{100 * share:.{decimals}f}"


def interval(ends: Sequence[float]) -> str:
    """Write an interval of shares in percent: "83.6 to 88.3"."""
    return f"{percent(ends[0])} to {percent(ends[1])}"


def points(difference: float, ends: Sequence[float]) -> str:
    """Write a difference of shares in percentage points: "+1.5 (+0.2 to +2.8)"."""
    return f"{100 * difference:+.1f} ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})"


def images_of(name: str) -> str:
    """Put a class after a count: "22 of 90 goby", but "8 of 12 images of 94" for a number."""
    return f"images of {name}" if name[:1].isdigit() else name
