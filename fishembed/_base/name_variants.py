"""Names that look alike: they differ by case, blanks, signs or Unicode form only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def name_variants(names: Iterable[str]) -> list[list[str]]:
    """Return the groups of names that are one name written in several ways.

    Examples
    --------
    >>> name_variants(["Mudfish", "mudfish ", "sea_bass", "Sea bass", "cod"])
    [['Mudfish', 'mudfish '], ['Sea bass', 'sea_bass']]
    """
    groups: dict[str, set[str]] = {}
    for name in names:
        groups.setdefault(_key(name), set()).add(name)
    return [sorted(group) for group in groups.values() if len(group) > 1]


def merge_sentence(names: Iterable[str]) -> str:
    """Return which names may be one, and how they are merged; "" where none are alike."""
    groups = name_variants(names)
    if not groups:
        return ""
    pairs = "; ".join(" and ".join(map(_written, group)) for group in groups[:5])
    more = f" and {len(groups) - 5:,} more" if len(groups) > 5 else ""
    return (
        f"class names that may be one: {pairs}{more}. To merge them, give their folders one name "
        "and extract again (nothing is encoded again), or relabel with 'fishembed fix'"
    )


def _key(name: str) -> str:
    text = unicodedata.normalize("NFKC", name).casefold().replace("_", " ").replace("-", " ")
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _written(name: str) -> str:
    form = "" if unicodedata.is_normalized("NFC", name) else " (letters and accents apart, NFD)"
    return f"{name!r}{form}"
