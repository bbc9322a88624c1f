"""A store as tables: its rows for pandas, its classes by split for a notebook."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import ShortTable
from fishembed._base.splits import SPLITS
from fishembed._base.text import counted
from fishembed.cache.metadata import is_number
from fishembed.cache.schema import is_known
from fishembed.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

    from fishembed.cache.store import Store


BOX = ("x", "y", "width", "height")


def store_table(store: Store, *, vectors: bool) -> pd.DataFrame:
    """Return the rows of a store as a table; see `Store.to_pandas`.

    A metadata column whose name is taken, such as size, is called "metadata size".
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingExtraError("a table of a store", "pandas", "parquet") from error
    names = [*store.classes, None]
    texts = {
        "path": store.paths,
        "label": [names[label] for label in store.labels],
        "split": store.splits.tolist(),
        "group": store.groups,
        "digest": store.digests,
    }
    # As objects: a file's name may be no valid Unicode, which pandas' strings refuse.
    columns: dict[str, Any] = {
        name: pd.Series(column, dtype=object) for name, column in texts.items()
    }
    columns |= {"size": store.column("size"), "mtime_ns": store.column("mtime_ns")}
    if is_known(store.boxes):
        columns |= dict(zip(BOX, np.asarray(store.boxes).T, strict=True))
    if is_known(store.times):
        columns["time"] = store.times
    for name, column in store.metadata.items():
        free = name if name not in {*columns, "vector"} else f"metadata {name}"
        columns[free] = column if is_number(column) else pd.Series(column.tolist(), dtype=object)
    table = pd.DataFrame(columns)
    if vectors:
        table["vector"] = list(store.features[:])
    return table


_SHOWN = 8
"""Classes that are named; the others are one line."""


def class_table(
    title: str,
    classes: Sequence[str],
    labels: npt.NDArray[np.int32],
    splits: npt.NDArray[np.str_],
    groups: Sequence[str],
) -> ShortTable:
    """Count rows by class and split, the commonest classes first.

    Parameters
    ----------
    title
        The store in one line.
    classes
        (n_classes,) names.
    labels
        (n,) indices into `classes`, -1 for none.
    splits, groups
        (n,) names, "" for none.
    """
    n_groups = len(set(groups) - {""})
    there = [split for split in (*SPLITS, "") if (splits == split).any()]
    counts = np.array(
        [np.bincount(labels[splits == split] + 1, minlength=len(classes) + 1) for split in there]
    ).reshape(len(there), len(classes) + 1)
    order = 1 + np.argsort(-counts[:, 1:].sum(axis=0), kind="stable")
    rows = [[classes[i - 1], *(f"{n:,}" for n in counts[:, i])] for i in order[:_SHOWN].tolist()]
    if len(order) > _SHOWN:
        rest = counts[:, order[_SHOWN:]].sum(axis=1)
        rows.append([f"{len(order) - _SHOWN:,} more classes", *(f"{n:,}" for n in rest)])
    if counts[:, 0].any():
        rows.append(["(no class)", *(f"{n:,}" for n in counts[:, 0])])
    about = counted(len(classes), "class", "classes")
    about += f", {counted(n_groups, 'group')}" if n_groups else ""
    return ShortTable(f"{title}, {about}", ["class", *(s or "no split" for s in there)], rows)
