"""The file that a table means, where its path is spelt as on another system."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path


def spelling_on_disk(root: Path, path: str) -> str:
    """Return a path as it is spelt on this disk; as it was where no spelling is there.

    Tried are slashes for the backslashes of Windows, composed and decomposed letters (macOS
    writes the latter), and names whose bytes are no UTF-8.

    Parameters
    ----------
    root
        Where relative paths start.
    path
        As a table has it.
    """
    if path.isascii() and "\\" not in path:  # nearly all, without asking the disk
        return path
    return next((one for one in spellings(path) if _is_there(root, one)), path)


def spellings(path: str) -> Iterator[str]:
    """Yield the ways to write a path, its own first."""
    for one in dict.fromkeys((path, path.replace("\\", "/"))):
        yield one
        if one.isascii():
            continue
        for form in ("NFC", "NFD"):
            changed = unicodedata.normalize(form, one)
            if changed != one:
                yield changed
        with suppress(UnicodeError):
            yield one.encode("cp1252").decode("utf-8", "surrogateescape")


def _is_there(root: Path, path: str) -> bool:
    try:
        return (root / path).is_file()
    except (OSError, ValueError):
        return False
