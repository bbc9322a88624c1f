"""A store's rows as a table of pandas."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fishembed.errors import MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

    from fishembed.cache.store import FeatureStore


def store_table(store: FeatureStore, *, vectors: bool) -> pd.DataFrame:
    """Give the rows as a table; see `FeatureStore.to_pandas`."""
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
    columns = {name: pd.Series(column, dtype=object) for name, column in texts.items()}
    table = pd.DataFrame({**columns, "size": store.rows.size, "mtime_ns": store.rows.mtime_ns})
    if vectors:
        table["vector"] = list(store.features)
    return table
