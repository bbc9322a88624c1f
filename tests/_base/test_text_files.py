from __future__ import annotations

import gzip
import io
import zipfile

import h5py
import numpy as np
import pytest
from PIL import Image

from fishembed._base.csv_files import CsvTable
from fishembed._base.text_files import decode_text, file_kind
from fishembed.errors import InputError

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


def archive(*names, **contents):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as file:
        for name in names:
            file.writestr(name, "x")
        for name, content in contents.items():
            file.writestr(name, content)
    return out.getvalue()


def hdf5():
    out = io.BytesIO()
    with h5py.File(out, "w") as file:
        file["x"] = [1]
    return out.getvalue()


def png():
    out = io.BytesIO()
    Image.new("L", (2, 2)).save(out, "PNG")
    return out.getvalue()


def npy():
    out = io.BytesIO()
    np.save(out, np.eye(2))
    return out.getvalue()


KINDS = [
    (archive("[Content_Types].xml", "xl/workbook.xml"), "an Excel workbook", "save it as CSV"),
    (archive(mimetype="application/vnd.oasis.opendocument.spreadsheet"), "LibreOffice", "CSV"),
    (archive("photos/a.jpg"), "a ZIP archive", "unpack"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1rest", "an old Excel workbook", "save it as CSV"),
    (b"PAR1rest", "a Parquet file", "pd.read_parquet('t.csv').to_csv('t.csv'"),
    (gzip.compress(b"path\na.jpg\n"), "compressed by gzip", "gunzip -k 't.csv'"),
    (b"%PDF-1.7", "a PDF document", "spreadsheet"),
    (b"SQLite format 3\0", "an SQLite database", "export"),
    (hdf5(), "an HDF5 file", "CSV"),
    (png(), "a PNG image", "folder"),
    (npy(), "an array of numpy", "CSV"),
]


@pytest.mark.parametrize(("data", "name", "advice"), KINDS, ids=[kind[1] for kind in KINDS])
def test_a_table_that_is_none_is_called_what_it_is(workspace, data, name, advice):
    (workspace / "t.csv").write_bytes(data)
    with pytest.raises(InputError, match="no table of text") as caught:
        CsvTable(workspace / "t.csv")
    assert name in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize("text", ["", "path\n", "PAR,1\n", "BZh,label\n", "{\n", "RDX;a\n"])
def test_text_is_no_kind(text):
    assert file_kind(text.encode(), "a.csv") is None
