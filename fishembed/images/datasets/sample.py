"""One image of a dataset, and what a JSON document beside it says of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fishembed._base.missing import is_missing, text_or_missing
from fishembed.errors import ImageError

NO_METADATA: Mapping[str, str] = {}
"""One for all samples of which nothing else is known."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One image of a dataset.

    Attributes
    ----------
    path
        Relative to the dataset's root with forward slashes, or absolute.
    label
        Name of its class, None where there is none.
    split
        train, val, test or "".
    group
        The unit it must not be separated from, or "".
    box
        x, y, width and height in pixels of the part of its photo, None for the whole.
    time
        Seconds into its video, None for an image.
    metadata
        What else is known of it, by name; "" where a value is missing.
    """

    path: str
    label: str | None = None
    split: str = ""
    group: str = ""
    box: tuple[float, float, float, float] | None = None
    metadata: Mapping[str, str] = field(default_factory=lambda: NO_METADATA, compare=False)
    time: float | None = None


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
