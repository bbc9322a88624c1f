from __future__ import annotations

from fishembed._base.text import counted, listed


def test_counts_have_nouns():
    assert counted(1, "image") == "1 image"
    assert counted(0, "image") == "0 images"
    assert counted(3187, "class", "classes") == "3,187 classes"


def test_lists_read_as_sentences():
    assert [listed(words) for words in ([], ["a"], ["a", "b"], ["a", "b", "c"])] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]
