"""Counts and lists in English sentences, and names made safe to show on a page or a console."""

from __future__ import annotations

from collections.abc import Sequence


def counted(n: int, one: str, many: str | None = None) -> str:
    """Return a count with its noun.

    Examples
    --------
    >>> counted(1, "image"), counted(3187, "class", "classes")
    ('1 image', '3,187 classes')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def listed(words: Sequence[str]) -> str:
    """Join words as in a sentence.

    Examples
    --------
    >>> listed(["cod", "eel", "pike"])
    'cod, eel and pike'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]])) if words else ""


def reason_of(error: BaseException) -> str:
    """Return what an exception says to people: its kind only where its text means nothing alone.

    Examples
    --------
    >>> reason_of(ValueError("labels from -7 to 2, 3 classes")), reason_of(KeyError("rows"))
    ('labels from -7 to 2, 3 classes', "it has no 'rows'")
    """
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    if isinstance(error, KeyError) and error.args:
        return f"it has no {error.args[0]!r}"
    text = getattr(error, "strerror", None) or str(error)
    return (
        text
        if text and isinstance(error, (OSError, ValueError))
        else (f"{type(error).__name__}: {error}" if text else type(error).__name__)
    )


_KEPT = "\u200c\u200d"
"""Joiners that many scripts and emoji are spelt with; other invisible signs are escaped."""


def printable(name: str) -> str:
    r"""Escape what a name hides: control signs, direction marks, bytes that are no text.

    Letters of any script stay as they are. The result can be encoded as UTF-8, holds no line
    break and is safe in XML; it still has to be escaped as any text in markup.

    Examples
    --------
    >>> printable("a\nb"), printable("blenny\udcff"), printable("ハゼ")
    ('a\\nb', 'blenny\\xff', 'ハゼ')
    """
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() or c in _KEPT else _escaped(c) for c in name)


def _escaped(sign: str) -> str:
    code = ord(sign)
    if 0xDC80 <= code <= 0xDCFF:
        return f"\\x{code - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")


def shortened(name: str, length: int) -> str:
    """Cut a name in its middle, keeping both ends, so that siblings stay distinct."""
    if len(name) <= length:
        return name
    head = (length - 1) // 2 + (length - 1) % 2
    return name[:head] + "…" + name[len(name) - (length - 1 - head) :]
