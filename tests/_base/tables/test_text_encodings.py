from __future__ import annotations

import pytest

from fishembed._base.tables.text_encodings import decode_text

TEXT = "path,label\nfoto/Zährte.jpg,Vimba\n"


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_read_however_it_is_saved(codec):
    assert decode_text(TEXT.encode(codec)) == (TEXT, "")


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_marks_of_both_byte_orders(codec):
    assert decode_text(f"\ufeff{TEXT}日本".encode(codec)) == (f"{TEXT}日本", "")


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
def test_what_is_no_unicode_is_latin_and_said(codec):
    text, note = decode_text(TEXT.encode(codec))
    assert text == TEXT
    assert "not UTF-8" in note
    assert decode_text("„Hai“".encode("cp1252"))[0] == "„Hai“"
    assert decode_text(b"\x81\xe9")[0] == "\x81é"  # no letter of Windows-1252


def test_names_that_are_bytes_stay_so_in_utf8():
    mixed = "ü,".encode() + b"fish\xff"
    assert decode_text(mixed) == ("ü,fish\udcff", "")
    assert decode_text(b"\xef\xbb\xbffish\xff") == ("fish\udcff", "")
    assert decode_text(b"fish\xff", utf8_only=True) == ("fish\udcff", "")
    assert decode_text(b"a\0b\0c\0d\0", utf8_only=True)[0] == "a\0b\0c\0d\0"


def test_damaged_utf16_is_said():
    with pytest.raises(ValueError, match="UTF-16 text that is damaged"):
        decode_text("\ufeffab".encode("utf-16-le")[:-1])


def test_short_files_are_text():
    assert [decode_text(data)[0] for data in (b"", b"a", b"a\0")] == ["", "a", "a\0"]
