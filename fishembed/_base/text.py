"""Counts and lists in English sentences."""

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
