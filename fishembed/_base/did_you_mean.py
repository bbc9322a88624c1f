"""Known names that a misspelt one may have meant."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

_LOOKED_AT = 10_000
"""Names that are compared; a list of photos may hold millions."""


def near_names(
    name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.65, starts: bool = True
) -> list[str]:
    """Return the known names that a misspelt one may have meant, the nearest first.

    Capitals do not count. Near is what difflib scores at `cutoff` or more and, with `starts`,
    what begins with the misspelt name.

    Examples
    --------
    >>> near_names("Fish-atuo", ["fish-auto", "fish-linear", "trip"])
    ['fish-auto']
    >>> near_names("trip", ["trip-2024", "fish"])
    ['trip-2024']
    """
    by_folded: dict[str, str] = {}
    for number, one in enumerate(known):
        if number >= _LOOKED_AT:
            break
        by_folded.setdefault(one.casefold(), one)
    wanted = name.casefold()
    close = difflib.get_close_matches(wanted, by_folded, n=most, cutoff=cutoff)
    if starts and len(wanted) >= 3:
        close += [one for one in by_folded if one.startswith(wanted) and one not in close]
    return [by_folded[one] for one in close[:most] if by_folded[one] != name]


def did_you_mean(
    name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.65, starts: bool = True
) -> str:
    """Return ": did you mean 'cod'?" for a misspelt name; "" where nothing is near.

    Examples
    --------
    >>> did_you_mean("cdo", ["cod", "eel"])
    ": did you mean 'cod'?"
    >>> did_you_mean("shark", ["cod", "eel"])
    ''
    """
    close = near_names(name, known, most=most, cutoff=cutoff, starts=starts)
    return f": did you mean {' or '.join(map(repr, close))}?" if close else ""


def unknown_column(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence on a column that is not there.

    Examples
    --------
    >>> "the store has " + unknown_column("sites", ["site", "depth"])
    "the store has no column 'sites' (there is depth, site): did you mean 'site'?"
    """
    columns = sorted(known)
    there = f"there is {', '.join(columns) or 'none'}"
    return f"no column {name!r} ({there}){did_you_mean(name, columns)}"
