"""What a file beside an image says of it: its label, split and group."""

from __future__ import annotations

from typing import Any

from fishembed._base.tables.missing import is_missing, text_or_missing
from fishembed.errors import ImageError

LABELS = ("label", "class", "class_name", "cls")


def facts_in(document: object) -> dict[str, str]:
    """Return label, split and group of a JSON document, where it says them.

    Raises
    ------
    ImageError
        When one of them is no single value.
    """
    if not isinstance(document, dict):
        return {}
    named = {"label": next((n for n in LABELS if not is_missing(document.get(n))), "label")}
    named |= {"split": "split", "group": "group"}
    found = {fact: _scalar(key, document.get(key)) for fact, key in named.items()}
    return {fact: text for fact, text in found.items() if text}


def metadata_in(document: object) -> dict[str, str]:
    """Return what a JSON document says besides; lists and objects are no cells of a column."""
    if not isinstance(document, dict):
        return {}
    return {
        cell_text(name): cell_text(value)
        for name, value in document.items()
        if name not in {*LABELS, "split", "group"} and not isinstance(value, (list, dict))
    }


def cell_text(value: object) -> str:
    """Return a value as a store can hold it: without zero bytes and halves of characters."""
    text = text_or_missing(value)
    if not unusable_text(text):
        return text
    return text.replace("\0", "").encode("utf-8", "backslashreplace").decode()


def _scalar(key: str, value: Any) -> str:
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if isinstance(value, dict) and (names := {"name", "label", "class"} & set(value)):
        value = value[min(names)] if len(names) == 1 else value["name"]
    if isinstance(value, (list, dict)):
        raise ImageError(f"its {key!r} is no single value but {str(value)[:60]}")
    return text_or_missing(value)


def unusable_text(text: str) -> str:
    """Return why a store cannot hold a label or group, or ""."""
    if "\0" in text:
        return f"{text[:60]!r} holds a zero byte"
    try:
        text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return f"{text[:60]!r} holds half a character (a lone surrogate)"
    return ""
