from __future__ import annotations

import numpy as np

from fishembed.audit.checks.balance import count_balance, shortlist


def test_classes_are_counted_by_split_and_group():
    labels = np.array([0] * 12 + [1, 1, -1], np.int32)
    splits = np.array(["train"] * 10 + ["test"] * 2 + ["train", "train", ""])
    groups = ["a"] * 6 + ["b"] * 4 + [""] * 5
    balance = count_balance(labels, ["cod", "eel", "ray"], splits, groups)
    cod, eel, ray = balance.classes
    assert (cod.total, cod.by_split, cod.groups) == (12, {"train": 10, "test": 2}, 4)
    assert (eel.total, eel.groups, ray.total) == (2, 2, 0)
    assert (balance.ratio, balance.few, balance.missing("test")) == (6, ["eel"], ["eel"])
    assert balance.notes() == [
        "1 species without a photo in test: eel.",
        "1 species with fewer than ten photos: eel.",
        "1 photo without a label.",
    ]
    assert balance.sentences()[0] == "balance: 2 species, largest to smallest 6 to 1"


def test_long_lists_are_cut():
    assert shortlist(list("abcdef")) == "a, b, c, d, e and f"
    assert shortlist(list("abcdefgh")) == "a, b, c, d, e, f and 2 more"
