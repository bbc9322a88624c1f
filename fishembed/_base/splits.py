"""Names of splits: train, val and test, and the ways people spell them."""

from __future__ import annotations

import re

SPLITS = ("train", "val", "test")
"""The splits of a store; a row may also have none, which is ""."""

_SPELLINGS = {
    "train": ("train", "training", "trn"),
    "val": ("val", "valid", "validation", "validate", "validating", "dev", "devel", "development"),
    "test": ("test", "testing", "tst", "eval", "evaluation", "holdout", "heldout"),
}
SPLIT_NAMES = {name: split for split, names in _SPELLINGS.items() for name in names}
"""The split that each name means, in lower case.

Dev is val and eval is test, as in the datasets library of Hugging Face.
"""

FILLERS = frozenset(
    {"image", "images", "img", "imgs", "jpegimages", "photo", "photos", "picture", "pictures"}
    | {"pic", "pics", "frame", "frames", "set", "sets", "data", "dataset", "split", "folder"}
    | {"sample", "samples", "jpg", "jpeg", "png", "raw", "all", "files", "archive"}
)
"""Words of folder names that mean neither a split nor a class."""

_WORDS = re.compile(r"[^\W\d_]+")
_HUMPS = re.compile(r"(?<=[a-z])(?=[A-Z])")
_HYPHENS = re.compile(r"(?i)\b(hold|held)[\s_-]*out\b")


def split_and_rest(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the split that a name has a word for, "" for none, and its other words.

    Digits, signs and `FILLERS` count for nothing. A name with words for two splits has none.

    Examples
    --------
    >>> split_and_rest("01_trainImages"), split_and_rest("seg_test")
    (('train', ()), ('test', ('seg',)))
    """
    text = _HUMPS.sub(" ", _HYPHENS.sub("holdout", name))
    words = [word.lower() for word in _WORDS.findall(text)]
    found = [word for word in words if word in SPLIT_NAMES]
    rest = tuple(word for word in words if word not in SPLIT_NAMES and word not in FILLERS)
    if len({SPLIT_NAMES[word] for word in found}) != 1:
        words = [word for word in words if word not in FILLERS]
        joined = "".join(words)  # TRAINSET, testdata
        for filler in ("set", "data", "images", "imgs", "img", ""):
            stem = joined.removesuffix(filler)
            if stem in SPLIT_NAMES and not found:
                return SPLIT_NAMES[stem], ()
        return "", tuple(words)
    return SPLIT_NAMES[found[0]], rest


def split_named(name: str) -> str:
    """Return the split that a name means and nothing besides, "" where it means none.

    Examples
    --------
    >>> [split_named(name) for name in ("Training", "valid", "images_test", "train2017", "cod")]
    ['train', 'val', 'test', 'train', '']
    """
    split, rest = split_and_rest(name)
    return "" if rest else split
