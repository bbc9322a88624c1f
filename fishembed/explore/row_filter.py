"""Choose rows of a store by the values in its columns."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

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
    columns = filter_columns(store) if texts else {}
    parsed = [_parse(text, columns, str(store.path)) for text in texts]
    for condition in parsed:
        chosen &= _holds(condition)
    rows = np.flatnonzero(chosen)
    if not len(rows):
        wanted = " and ".join(texts) or "features"
        raise InputError(f"no row of {str(store.path)!r} has {wanted}{_near_values(parsed)}")
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


class _Condition(NamedTuple):
    text: str
    name: str  # of the column
    column: npt.NDArray[Any]
    sign: str
    value: str


def _parse(text: str, columns: Mapping[str, npt.NDArray[Any]], store: str) -> _Condition:
    match = _CONDITION.fullmatch(text)
    if match is None:
        raise InputError(f"{text!r} is no condition: write COLUMN=VALUE, such as split=test")
    name = match["column"]
    if name not in columns:
        raise InputError(f"{store!r} has {unknown_column(name, columns)}")
    return _Condition(text, name, columns[name], match["sign"], match["value"])


def _holds(condition: _Condition) -> npt.NDArray[np.bool_]:
    text, name, column, sign, value = condition
    is_number = column.dtype.kind == "f"
    if sign in _ORDER:
        if not is_number:
            raise InputError(f"the column {name!r} holds text: compare it with = or !=")
        return np.asarray(_ORDER[sign](column, _number(value, text)))
    found = np.zeros(len(column), bool)
    for one in map(str.strip, value.split("|")):
        if not is_number:
            found |= np.asarray(column == one, bool)
        else:
            found |= column == _number(one, text) if one else np.isnan(column)
    return np.asarray(~found if sign == "!=" else found)


def _near_values(conditions: Iterable[_Condition]) -> str:
    """Return a hint at the text column's values near a misspelt one; "" where none is near."""
    for _, _, column, sign, value in conditions:
        if sign != "=" or column.dtype.kind == "f":
            continue
        there = set(column.tolist()) - {""}
        for one in map(str.strip, value.split("|")):
            if one not in there and (hint := did_you_mean(one, sorted(there))):
                return hint
    return ""


def _number(value: str, text: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise InputError(f"{text!r}: {value!r} is no number") from None
