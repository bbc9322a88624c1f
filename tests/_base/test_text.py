from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fishembed._base.text import counted, listed, printable, shortened


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


ANY_TEXT = st.text(st.characters(exclude_categories=()))


@given(ANY_TEXT)
def test_what_is_printable_can_be_written_anywhere(name):
    shown = printable(name)
    shown.encode("utf-8")
    assert len(shown.splitlines()) <= 1
    assert printable(shown) == shown


@given(st.text(st.characters(categories=["L", "N", "P", "S"])))
def test_letters_of_any_script_stay(name):
    assert printable(name) == name


def test_direction_marks_are_written_out():
    assert printable("a\u202eb") == "a\\u202eb"


@given(ANY_TEXT, st.integers(2, 60))
def test_shortened_keeps_both_ends(name, length):
    short = shortened(name, length)
    assert len(short) <= max(length, 1)
    if len(name) > length:
        assert short[0] == name[0]
        assert "…" in short
