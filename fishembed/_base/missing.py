"""Missing values in all spellings that programs write, and the text of the others."""

from __future__ import annotations

from typing import Any

import numpy as np

MISSING_TEXTS = frozenset(
    {"", "NA", "N/A", "n/a", "#NA", "#N/A", "#N/A N/A", "<NA>", "NaT", "NULL", "null", "None"}
    | {"NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", r"\N"}
)
r"""Texts that pandas reads as missing, NaT and the \N of database dumps.

Spellings such as "none" and "na" are not among them: people use them as names of classes.
"""


def is_missing(value: object) -> bool:
    r"""Return whether a value is missing.

    That is None, NaN, NaT, pandas' NA, masked values, and text or bytes that are empty or
    are one of `MISSING_TEXTS`, such as NA, N/A, NaN, None, NULL, ``\N`` and <NA>.

    Examples
    --------
    >>> [is_missing(value) for value in (None, float("nan"), "NA", b"null", " ", "cod", 0)]
    [True, True, True, True, True, False, False]
    """
    value = _plain(value)
    if value is None or value is np.ma.masked:
        return True
    if isinstance(value, bytes):
        value = value.decode("utf-8", "surrogateescape")
    if isinstance(value, str):
        return value.strip() in MISSING_TEXTS
    return _is_not_itself(value)


def text_or_missing(value: object) -> str:
    """Return a value as text, "" where it is missing.

    Bytes are read as UTF-8, whole numbers have no ".0", and blanks around are cut.

    Examples
    --------
    >>> [text_or_missing(value) for value in (b"cod", 3.0, 2.5, None, "nan", " eel ")]
    ['cod', '3', '2.5', '', '', 'eel']
    """
    if is_missing(value):
        return ""
    value = _plain(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "surrogateescape").strip()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _plain(value: object) -> Any:
    """Return the Python value in a scalar of numpy or pyarrow."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, np.generic) and not np.issubdtype(type(value), np.datetime64):
        return value.item()
    if type(value).__module__.partition(".")[0] == "pyarrow" and hasattr(value, "as_py"):
        return value.as_py()
    return value


def _is_not_itself(value: Any) -> bool:
    """Return whether a value differs from itself (NaN, NaT), or is undecided (pandas' NA)."""
    try:
        return not bool(value == value)  # noqa: PLR0124 - only these differ from themselves
    except TypeError:
        return True
    except ValueError:  # an array of several values
        return False
