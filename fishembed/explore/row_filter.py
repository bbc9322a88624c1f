"""Choose rows of a store by the values in its columns."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed._base.text import did_you_mean, unknown_column
from fishembed.cache import Store
from fishembed.errors import InputError

_CONDITION = re.compile(r"\s*(?P<column>.+?)\s*(?P<sign><=|>=|!=|==|=|<|>)\s*(?P<value>.*?)\s*")
_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def filtered_rows(store: Store, conditions: Iterable[str] = ()) -> npt.NDArray[np.intp]:
    """Return the numbers of the rows that meet all conditions, in the store's order.

    Parameters
    ----------
    store
        The store.
    conditions
        `COLUMN=VALUE`, `COLUMN!=VALUE`, or for columns of numbers also `<`, `<=`, `>` and `>=`.
        Columns are path, label, split, group and those of `store.metadata`. An empty value
        stands for rows without one: `label=`. `A|B` stands for either of two values.

    Raises
    ------
    InputError
        When there is no such column, a number is expected, or no row is left.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import import_features, open_store
    >>> arrays = {"features": np.eye(3), "labels": ["cod", "eel", "eel"]}
    >>> with open_store(import_features(arrays, "three.h5")) as store:
    ...     filtered_rows(store, ["label=eel"]).tolist()
    [1, 2]
    """
    chosen = np.ones(len(store), bool)
    texts = [text for text in conditions if text]
    for text in texts:
        chosen &= _holds(store, text)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        wanted = " and ".join(texts) or "features"
        raise InputError(f"no row of {str(store.path)!r} has {wanted}{_near_values(store, texts)}")
    return rows


def filter_columns(store: Store) -> dict[str, npt.NDArray[Any]]:
    """Return the columns that rows can be chosen by: text or float64 (n,) by name."""
    names = np.array([*store.classes, ""], dtype=object)
    metadata: Mapping[str, Any] = getattr(store, "metadata", {})
    return {
        **{name: np.asarray(metadata[name]) for name in metadata},
        "path": np.array(store.paths, dtype=object),
        "label": names[store.labels],
        "split": store.splits.astype(object),
        "group": np.array(store.groups, dtype=object),
    }


def _holds(store: Store, text: str) -> npt.NDArray[np.bool_]:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no condition: write COLUMN=VALUE, such as split=test")
    name, sign, value = match["column"], match["sign"], match["value"]
    columns = filter_columns(store)
    if name not in columns:
        raise InputError(f"{str(store.path)!r} has {unknown_column(name, columns)}")
    column = columns[name]
    if sign in _ORDER:
        return np.asarray(_ORDER[sign](_numbers(column, name), _number(value, text)))
    found = np.zeros(len(column), bool)
    for one in value.split("|"):
        found |= _equals(column, one.strip(), text)
    return np.asarray(~found if sign == "!=" else found)


def _equals(column: npt.NDArray[Any], value: str, text: str) -> npt.NDArray[np.bool_]:
    if column.dtype.kind != "f":
        return np.asarray(column == value, bool)
    if not value:
        return np.asarray(np.isnan(column))
    return np.asarray(column == _number(value, text))


def _numbers(column: npt.NDArray[Any], name: str) -> npt.NDArray[np.float64]:
    if column.dtype.kind != "f":
        raise InputError(f"the column {name!r} holds text: compare it with = or !=")
    return column


def _near_values(store: Store, conditions: list[str]) -> str:
    """Return what a misspelt value of a column of text may have meant; "" where none is near."""
    columns = filter_columns(store)
    for text in conditions:
        match = _CONDITION.fullmatch(text)
        if match is None or match["sign"] != "=" or columns[match["column"]].dtype.kind == "f":
            continue
        there = set(columns[match["column"]].tolist()) - {""}
        for value in match["value"].split("|"):
            if value.strip() not in there and (hint := did_you_mean(value.strip(), sorted(there))):
                return hint
    return ""


def _number(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(f"{text!r}: {value!r} is no number") from None
