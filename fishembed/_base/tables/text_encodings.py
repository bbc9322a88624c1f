"""Text of a file in whatever encoding a spreadsheet, a database or a person saved it."""

from __future__ import annotations

import codecs
import re

_MARKS = (  # the longer ones first: UTF-32's begins as UTF-16's
    (codecs.BOM_UTF32_LE, "utf-32-le", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32-be", "UTF-32"),
    (codecs.BOM_UTF8, "utf-8", "UTF-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16-be", "UTF-16"),
)
_LOOKED_AT = 64
_UTF8_LETTER = re.compile(
    rb"[\xc3-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}"
)


def decode_text(data: bytes, *, utf8_only: bool = False) -> tuple[str, str]:
    r"""Return the text of a file, and a note where its encoding had to be guessed.

    Known are UTF-8, UTF-16 and UTF-32, each with a byte order mark; UTF-16 without one; and
    Windows-1252 (Latin-1). Bytes in UTF-8 that are none, as file names may hold, become
    surrogates.

    Parameters
    ----------
    data
        All bytes of the file.
    utf8_only
        Whether it can be nothing but UTF-8.

    Raises
    ------
    ValueError
        When it is UTF-16 or UTF-32 that breaks off or is damaged.

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
    if not utf8_only and (codec := _utf16_without_mark(data[:_LOOKED_AT])):
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
