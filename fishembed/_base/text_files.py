"""Decoding of text files in any common encoding, and recognition of files that are no text."""

from __future__ import annotations

import codecs
import re
from typing import TYPE_CHECKING, NamedTuple

from fishembed._base.bounded_reading import read_file
from fishembed._base.paths import is_remote
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, InputError

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath

_MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_FIRST_BYTES = 64
_KIND_BYTES = 8192
_UTF8_LETTER = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def read_text(
    path: AnyPath, error: type[FishembedError] = InputError, *, utf8_only: bool = False
) -> tuple[str, str]:
    """Read a text file, and a note where its encoding had to be guessed; see `decode_text`.

    Raises `error` when the file is missing, unreadable, or no text; its kind is named then.
    """
    try:
        if not is_remote(path) and path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "a device or a pipe"
            raise error(f"{str(path)!r} is {what}, not a file")
        with remote_errors(path):
            data = read_file(path)
    except (OSError, ValueError) as reason:
        if isinstance(reason, FishembedError):
            raise
        why = getattr(reason, "strerror", None) or reason
        raise error(f"cannot read {str(path)!r}: {why}") from reason
    kind = file_kind(data[:_KIND_BYTES], path.name)
    if kind is not None:
        raise error(f"{str(path)!r} is {kind.name} and no table of text: {kind.advice}")
    try:
        return decode_text(data, utf8_only=utf8_only)
    except ValueError as reason:
        raise error(f"{str(path)!r} is {reason}; save it as UTF-8") from reason


def decode_text(data: bytes, *, utf8_only: bool = False) -> tuple[str, str]:
    r"""Return the text of a file, and a note where its encoding had to be guessed.

    Known are UTF-8, UTF-16 and UTF-32, each with a byte order mark; UTF-16 without one; and
    Windows-1252 (Latin-1). Bytes in UTF-8 that are none, as file names may hold, become
    surrogates.

    With `utf8_only` it can be nothing else. `ValueError` when it is UTF-16 or UTF-32 that breaks
    off or is damaged.

    Examples
    --------
    >>> decode_text("Zährte".encode("utf-16"))
    ('Zährte', '')
    >>> decode_text(b"Z\xe4hrte")
    ('Zährte', 'it is not UTF-8 and was read as Windows-1252 (Latin-1)')
    """
    for mark, codec, name in _MARKS:
        if data.startswith(mark) and not (utf8_only and codec != "utf-8"):
            return _decoded(data.removeprefix(mark), codec, name), ""
    if not utf8_only and (codec := _utf16_without_mark(data[:_FIRST_BYTES])):
        return _decoded(data, codec, "UTF-16"), ""
    try:
        return data.decode("utf-8"), ""
    except UnicodeDecodeError:
        # Letters in UTF-8 beside other bytes are a list of names that no encoding holds.
        if utf8_only or _UTF8_LETTER.search(data):
            return data.decode("utf-8", "surrogateescape"), ""
    note = "it is not UTF-8 and was read as Windows-1252 (Latin-1)"
    try:
        return data.decode("cp1252"), note
    except UnicodeDecodeError:
        return data.decode("latin-1"), note


def _decoded(data: bytes, codec: str, name: str) -> str:
    try:
        return data.decode(codec, "surrogateescape" if codec == "utf-8" else "strict")
    except UnicodeDecodeError as error:
        raise ValueError(f"{name} text that is damaged or breaks off: {error}") from error


def _utf16_without_mark(start: bytes) -> str:
    """Return the codec where every second byte of the beginning is zero, else ""."""
    even, odd = start[: len(start) // 2 * 2 : 2], start[1::2]
    if len(odd) < 4:
        return ""
    if 0 not in even and odd.count(0) * 2 > len(odd) and odd[0] == 0:
        return "utf-16-le"
    return "utf-16-be" if 0 not in odd and even.count(0) * 2 > len(even) and even[0] == 0 else ""


class FileKind(NamedTuple):
    """A kind of file that another program writes, and what to do to get a table of it."""

    name: str
    """With its article, for sentences: "an Excel workbook"."""
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
    """Return the kind of a file that is no text, by its first bytes; None where it may be text.

    Archives need some thousand bytes; `name` is for the advice.

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
