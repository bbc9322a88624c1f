"""Class names in any script: which installed fonts draw them, and what to do where none does."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from fishembed._base.text import counted

if TYPE_CHECKING:
    from matplotlib.font_manager import FontEntry

FIRST = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic and many signs."""

_LIKED = (
    "Noto Sans",
    "Noto Sans CJK",
    "Source Han Sans",
    "Hiragino Sans",
    "PingFang",
    "Yu Gothic",
    "Microsoft YaHei",
    "WenQuanYi",
    "Nirmala UI",
    "Lohit",
    "FreeSans",
    "Arial Unicode MS",
)
_SHAPED = ((0x0900, 0x0DFF), (0x0E80, 0x109F), (0x1780, 0x17FF))
"""Letters of India and South-East Asia, which join and change places."""


def families(names: Iterable[str]) -> list[str]:
    """Return the fonts, in order of trial, that draw what can be drawn of `names`."""
    return [FIRST, *_covering(frozenset("".join(names)) - _letters(FIRST))]


def undrawn(names: Sequence[str]) -> list[int]:
    """Return the places of names that no installed font, or not this matplotlib, can draw."""
    letters = frozenset("".join(names)) - _letters(FIRST)
    for family in _covering(letters):
        letters -= _letters(family)
    shaped = _shapes()
    return [
        i
        for i, name in enumerate(names)
        if not letters.isdisjoint(name) or (not shaped and any(map(_needs_shaping, name)))
    ]


def figure_names(names: Sequence[str]) -> list[str]:
    """Return names that can be drawn; others are numbered by their place in `per_class.csv`."""
    shown = list(names)
    for i in undrawn(names):
        shown[i] = f"class {i + 1}"
    return shown


def undrawn_note(names: Sequence[str]) -> str:
    """Return a sentence on the names that figures number; empty where they draw all."""
    missing = undrawn(names)
    if not missing:
        return ""
    which = counted(len(missing), "class name")
    return (
        f"No font here can draw {which} (such as {names[missing[0]]!r}): the figures' files number "
        "them as per_class.csv does. A font such as Noto Sans of their script mends it."
    )


def _covering(letters: frozenset[str]) -> list[str]:
    """Choose few installed fonts that have as many of `letters` as can be had."""
    if not letters:
        return []
    chosen = []
    for family in _installed():
        found = letters & _letters(family)
        if found:
            chosen.append(family)
            letters -= found
        if not letters:
            break
    return chosen


@cache
def _installed() -> tuple[str, ...]:
    """Return the installed families, those that people read on screens first."""
    from matplotlib.font_manager import get_font_names

    def liking(family: str) -> tuple[int, str]:
        places = [i for i, liked in enumerate(_LIKED) if family.startswith(liked)]
        return min(places, default=len(_LIKED)), family

    # "Last Resort" has a box for every letter, and no letter.
    real = {name for name in get_font_names() if not name.startswith("Last Resort")}
    return tuple(sorted(real - {FIRST}, key=liking))


@cache
def _letters(family: str) -> frozenset[str]:
    from matplotlib.font_manager import fontManager, get_font

    def plainness(entry: FontEntry) -> tuple[bool, int]:
        weight = entry.weight if isinstance(entry.weight, int) else 400
        return entry.style != "normal", abs(weight - 400)

    entries = [entry for entry in fontManager.ttflist if entry.name == family]
    font = get_font(min(entries, key=plainness).fname)
    return frozenset(map(chr, font.get_charmap()))


def _shapes() -> bool:
    """Whether matplotlib joins and reorders letters, as it does from 3.11 on."""
    import matplotlib as mpl

    return tuple(map(int, mpl.__version__.split(".")[:2])) >= (3, 11)


def _needs_shaping(sign: str) -> bool:
    right_to_left = unicodedata.bidirectional(sign) in {"R", "AL"}
    return right_to_left or any(low <= ord(sign) <= high for low, high in _SHAPED)
