"""Metadata columns of a store's rows as text, group and split among them."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from fishembed._base.did_you_mean import unknown_column
from fishembed.cache import Store
from fishembed.cache.metadata import as_text
from fishembed.errors import InputError
from fishembed.experiments.train_test_split import Indices


def metadata_texts(store: Store, rows: Indices) -> dict[str, list[str]]:
    """Return every column of some rows as text, "" where a value is missing.

    The store's own `group` and `split` are columns too, unless metadata has the name.
    """
    own = {"group": np.array(store.groups, object)[rows].tolist()}
    own["split"] = [str(split) for split in np.asarray(store.splits)[rows].tolist()]
    return own | {name: as_text(column[rows]) for name, column in store.metadata.items()}


def require_columns(store: Store, names: Iterable[str | None]) -> None:
    """Check that a store has columns that will be asked for; None asks for none.

    Raises
    ------
    InputError
        When it lacks one, which is named.
    """
    columns = {"group", "split", *store.metadata}
    for name in names:
        if name is not None and name not in columns:
            raise InputError(f"the store has {unknown_column(name, columns)}")
