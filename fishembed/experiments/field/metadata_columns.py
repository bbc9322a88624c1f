"""Metadata columns of a store's rows as text, group and split among them."""

from __future__ import annotations

import numpy as np

from fishembed.cache import Store
from fishembed.cache.metadata import as_text
from fishembed.experiments.train_test_split import Indices


def metadata_texts(store: Store, rows: Indices) -> dict[str, list[str]]:
    """Return every column of some rows as text, "" where a value is missing.

    The store's own `group` and `split` are columns too, unless metadata has the name.
    """
    own = {"group": np.array(store.groups, object)[rows].tolist()}
    own["split"] = [str(split) for split in np.asarray(store.splits)[rows].tolist()]
    return own | {name: as_text(column[rows]) for name, column in store.metadata.items()}
