"""English sentences: counts, lists, misspelt and similar names, names made safe to show."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import islice


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
    """Return an exception's message for users; its class only where the text alone means nothing.

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
    if text and isinstance(error, (OSError, ValueError)):
        return text
    return f"{type(error).__name__}: {error}" if text else type(error).__name__


_JOINERS = "\u200c\u200d"
"""Joiners that many scripts and emoji are spelt with; other invisible signs are escaped."""


def printable(name: str) -> str:
    r"""Escape what is invisible in a name: control signs, direction marks, bytes that are no text.

    Letters of any script stay as they are. The result can be encoded as UTF-8, holds no line
    break and is safe in XML; it still has to be escaped as any text in markup.

    Examples
    --------
    >>> printable("a\nb"), printable("blenny\udcff"), printable("ハゼ")
    ('a\\nb', 'blenny\\xff', 'ハゼ')
    """
    if name.isprintable():
        return name
    return "".join(c if c.isprintable() or c in _JOINERS else _escaped(c) for c in name)


def _escaped(sign: str) -> str:
    if 0xDC80 <= ord(sign) <= 0xDCFF:
        return f"\\x{ord(sign) - 0xDC00:02x}"
    return sign.encode("unicode_escape").decode("ascii")


def shortened(name: str, length: int) -> str:
    """Cut a name in its middle, keeping both ends, so that siblings stay distinct."""
    if len(name) <= length:
        return name
    head = (length - 1) // 2 + (length - 1) % 2
    return name[:head] + "…" + name[len(name) - (length - 1 - head) :]


_COMPARED = 10_000
"""Names that are compared at most; a list of files may hold millions."""


def did_you_mean(
    name: str, known: Iterable[str], *, most: int = 3, cutoff: float = 0.65, starts: bool = True
) -> str:
    """Return ": did you mean 'cod'?" for a misspelt name; "" where nothing is near.

    Capitals do not count. Near is what difflib scores at `cutoff` or more and, with `starts`,
    what begins with the misspelt name; the `most` nearest are named, the nearest first.

    Examples
    --------
    >>> did_you_mean("Fish-atuo", ["fish-auto", "fish-linear", "trip"])
    ": did you mean 'fish-auto'?"
    >>> did_you_mean("trip", ["trip-2024", "fish"]), did_you_mean("shark", ["cod", "eel"])
    (": did you mean 'trip-2024'?", '')
    """
    by_folded: dict[str, str] = {}
    for one in islice(known, _COMPARED):
        by_folded.setdefault(one.casefold(), one)
    wanted = name.casefold()
    close = difflib.get_close_matches(wanted, by_folded, n=most, cutoff=cutoff)
    if starts and len(wanted) >= 3:
        close += [one for one in by_folded if one.startswith(wanted) and one not in close]
    near = [by_folded[one] for one in close[:most] if by_folded[one] != name]
    return f": did you mean {' or '.join(map(repr, near))}?" if near else ""


def is_slip(written: str, known: str) -> bool:
    """Return whether a name is most likely a misspelt other one.

    That is: it differs in case and blanks only, in the order of its letters, or by one letter
    that is missing or too much. Another letter or digit may well be another species.

    Examples
    --------
    >>> is_slip("el", "eel"), is_slip("red_Drum", "red drum"), is_slip("species 3", "species 2")
    (True, True, False)
    """
    one, two = ("".join(name.replace("_", " ").split()).casefold() for name in (written, known))
    if one == two or sorted(one) == sorted(two):
        return True
    longer, shorter = (one, two) if len(one) > len(two) else (two, one)
    if len(longer) != len(shorter) + 1:
        return False
    at = next((i for i, sign in enumerate(shorter) if sign != longer[i]), len(shorter))
    return longer[at].isalpha() and len(shorter) > 1 and longer[at + 1 :] == shorter[at:]


def unknown_column(name: str, known: Iterable[str]) -> str:
    """Return the end of a sentence on a missing column: the columns that there are.

    Examples
    --------
    >>> "the store has " + unknown_column("sites", ["site", "depth"])
    "the store has no column 'sites' (there is depth, site): did you mean 'site'?"
    """
    columns = sorted(known)
    there = f"there is {', '.join(columns) or 'none'}"
    return f"no column {name!r} ({there}){did_you_mean(name, columns)}"


def merge_sentence(names: Iterable[str]) -> str:
    """Return which class names may mean one class, and how to merge them; "" where none are alike.

    Alike are names that differ by case, blanks, signs or Unicode form only.

    Examples
    --------
    >>> merge_sentence(["Mudfish", "mudfish ", "cod"]).partition(".")[0]
    "class names that may be one: 'Mudfish' and 'mudfish '"
    """
    by_key: dict[str, set[str]] = {}
    for name in names:
        by_key.setdefault(_key(name), set()).add(name)
    groups = [sorted(group) for group in by_key.values() if len(group) > 1]
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
