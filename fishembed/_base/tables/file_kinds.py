"""Kinds of files by their first bytes, and how to convert those that are no table."""

from __future__ import annotations

from typing import NamedTuple


class FileKind(NamedTuple):
    """A kind of file that another program writes.

    Attributes
    ----------
    name
        With its article, for sentences: "an Excel workbook".
    advice
        What to do to get a table that can be read.
    """

    name: str
    advice: str


_PYTHON = "python -c \"import pandas as pd; pd.{call}('{name}').to_csv('{stem}.csv', index=False)\""
_EXCEL = "save it as CSV UTF-8 in the spreadsheet"
_STARTS: tuple[tuple[bytes, str, str], ...] = (
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook (.xls)", _EXCEL),
    (b"PAR1", "a Parquet file", _PYTHON.replace("{call}", "read_parquet")),
    (b"ARROW1", "an Arrow (Feather) file", _PYTHON.replace("{call}", "read_feather")),
    (b"FEA1", "a Feather file", _PYTHON.replace("{call}", "read_feather")),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "give its table as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"\x1f\x8b", "a file compressed by gzip", "gunzip -k '{name}'"),
    (b"BZh9", "a file compressed by bzip2", "bunzip2 -k '{name}'"),
    (b"\xfd7zXZ\0", "a file compressed by xz", "unxz -k '{name}'"),
    (b"\x28\xb5\x2f\xfd", "a file compressed by zstd", "unzstd '{name}'"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it first"),
    (b"Rar!\x1a\x07", "a RAR archive", "unpack it first"),
    (b"%PDF-", "a PDF document", "copy its table into a spreadsheet and save that as CSV"),
    (b"{\\rtf", "a document of a text editor (.rtf)", "save it as plain text"),
    (b"\x93NUMPY", "an array of numpy (.npy)", "give a table as CSV"),
    (b"\xff\xd8\xff", "a JPEG image", "name the folder it is in, or a table of images"),
    (b"\x89PNG\r\n\x1a\n", "a PNG image", "name the folder it is in, or a table of images"),
)
_OFFICE = ((b"xl/", "an Excel workbook (.xlsx)"), (b"word/", "a Word document"))
_SHEETS = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"


def file_kind(start: bytes, name: str) -> FileKind | None:
    """Return what a file is that is no text; None where it may be text.

    Parameters
    ----------
    start
        Its first bytes, some thousand of them for archives.
    name
        Its name, for the advice.

    Examples
    --------
    >>> file_kind(b"PAR1...", "photos.csv").name
    'a Parquet file'
    """
    if start.startswith(b"PK\x03\x04"):
        return _archive(start)
    for magic, kind, advice in _STARTS:
        if start.startswith(magic):
            stem = name.rpartition(".")[0] or name
            return FileKind(kind, advice.replace("{name}", name).replace("{stem}", stem))
    return None


def _archive(start: bytes) -> FileKind:
    if _SHEETS in start:
        return FileKind("a LibreOffice spreadsheet (.ods)", _EXCEL)
    for part, kind in _OFFICE:
        if part in start:
            return FileKind(kind, _EXCEL)
    return FileKind("a ZIP archive", "unpack it first")
