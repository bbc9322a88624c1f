"""The rows of a store as a table of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

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
