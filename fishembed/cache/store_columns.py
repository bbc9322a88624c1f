"""Columns of a store: path, label, split, group and what else is known of each row; as tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from fishembed._base.short_table import ShortTable
from fishembed._base.splits import SPLITS
from fishembed._base.text import counted, unknown_column
from fishembed.cache.rows import Column, Rows, as_text, is_known, is_number
from fishembed.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    import pandas as pd

BOX = ("x", "y", "width", "height")

_SHOWN = 8
"""Classes that a `class_table` names; the others share one line."""


class StoreColumns(ABC):
    """The columns of a store, each read when it is asked for first."""

    @abstractmethod
    def column(self, name: str) -> Any:
        """Return a column of `Rows` by its name: a list of text, or an array of integers."""

    @property
    @abstractmethod
    def features(self) -> npt.NDArray[Any]:
        """(n, dim), the features of each row."""

    @cached_property
    def classes(self) -> list[str]:
        """Names of the classes, in the order that labels count."""
        return self._classes()

    @abstractmethod
    def _classes(self) -> list[str]: ...

    @cached_property
    def paths(self) -> list[str]:
        """Path of each image, relative to the source's root or absolute."""
        return list(self.column("path"))

    @cached_property
    def digests(self) -> list[str]:
        """SHA-256 of each image's bytes in hex."""
        return list(self.column("digest"))

    @cached_property
    def labels(self) -> npt.NDArray[np.int32]:
        """int32 (n,) into `classes`, -1 for none."""
        return np.asarray(self.column("label"), np.int32)

    @cached_property
    def splits(self) -> npt.NDArray[np.str_]:
        """Text (n,): train, val, test or ""."""
        return np.array(self.column("split"), dtype="U5")

    @cached_property
    def groups(self) -> list[str]:
        """Group of each row; "" for none."""
        return list(self.column("group"))

    @cached_property
    def boxes(self) -> npt.NDArray[np.float32]:
        """float32 (n, 4): x, y, width, height in pixels; NaN where a row is the whole image."""
        return np.asarray(self.column("box"), np.float32)

    @cached_property
    def times(self) -> npt.NDArray[np.float64]:
        """float64 (n,): seconds into its video, NaN where a row is of no video."""
        return np.asarray(self.column("time"), np.float64)

    @cached_property
    def hashes(self) -> npt.NDArray[np.uint8]:
        """uint8 (n, 16): perceptual hash of each row's pixels, zeros where it is not known."""
        return np.asarray(self.column("hash"), np.uint8)

    @cached_property
    def metadata(self) -> Mapping[str, Column]:
        """Further columns by name: text ("" where missing) or float64 (NaN where missing)."""
        return self._metadata()

    @abstractmethod
    def _metadata(self) -> Mapping[str, Column]: ...

    @cached_property
    def rows(self) -> Rows:
        """All that is known of the images, as columns."""
        return Rows(
            path=self.paths,
            digest=self.digests,
            size=self.column("size"),
            mtime_ns=self.column("mtime_ns"),
            label=self.labels,
            split=self.splits.tolist(),
            group=self.groups,
            box=self.boxes,
            time=self.times,
            hash=self.hashes,
            metadata=self.metadata,
        )

    def to_pandas(self, *, vectors: bool = True) -> pd.DataFrame:
        """Return the rows as a table.

        Parameters
        ----------
        vectors
            Whether a column `vector` holds each row's embedding.

        Returns
        -------
        pandas.DataFrame
            Columns path, label (name of the class, None without), split, group, digest, size,
            mtime_ns, then x, y, width, height and time where there are boxes and videos, the
            metadata columns by name (one whose name is in use, such as size, as "metadata size")
            [, vector]; one row for each image, in the store's order.
        """
        try:
            import pandas as pd
        except ImportError as error:
            raise MissingExtraError("a table of a store", "pandas", "parquet") from error
        names = [*self.classes, None]
        texts = {
            "path": self.paths,
            "label": [names[label] for label in self.labels],
            "split": self.splits.tolist(),
            "group": self.groups,
            "digest": self.digests,
        }
        # As objects: a file's name may be no valid Unicode, which pandas' strings refuse.
        columns: dict[str, Any] = {
            name: pd.Series(column, dtype=object) for name, column in texts.items()
        }
        columns |= {"size": self.column("size"), "mtime_ns": self.column("mtime_ns")}
        if is_known(self.boxes):
            columns |= dict(zip(BOX, self.boxes.T, strict=True))
        if is_known(self.times):
            columns["time"] = self.times
        for name, column in self.metadata.items():
            free = name if name not in {*columns, "vector"} else f"metadata {name}"
            columns[free] = (
                column if is_number(column) else pd.Series(column.tolist(), dtype=object)
            )
        table = pd.DataFrame(columns)
        if vectors:
            table["vector"] = list(self.features[:])
        return table


def class_table(title: str, store: StoreColumns) -> ShortTable:
    """Count a store's rows by class and split, the commonest classes first."""
    classes, labels, splits = store.classes, store.labels, store.splits
    n_groups = len(set(store.groups) - {""})
    used = [split for split in (*SPLITS, "") if (splits == split).any()]
    counts = np.array(
        [np.bincount(labels[splits == split] + 1, minlength=len(classes) + 1) for split in used]
    ).reshape(len(used), len(classes) + 1)
    order = 1 + np.argsort(-counts[:, 1:].sum(axis=0), kind="stable")
    rows = [[classes[i - 1], *(f"{n:,}" for n in counts[:, i])] for i in order[:_SHOWN].tolist()]
    if len(order) > _SHOWN:
        rest = counts[:, order[_SHOWN:]].sum(axis=1)
        rows.append([f"{len(order) - _SHOWN:,} more classes", *(f"{n:,}" for n in rest)])
    if counts[:, 0].any():
        rows.append(["(no class)", *(f"{n:,}" for n in counts[:, 0])])
    about = counted(len(classes), "class", "classes")
    about += f", {counted(n_groups, 'group')}" if n_groups else ""
    return ShortTable(f"{title}, {about}", ["class", *(s or "no split" for s in used)], rows)


def metadata_texts(store: StoreColumns, rows: npt.NDArray[np.intp]) -> dict[str, list[str]]:
    """Return every column of some rows as text, "" where a value is missing.

    The store's own `group` and `split` are columns too, unless metadata has the name.
    """
    own = {"group": np.array(store.groups, object)[rows].tolist()}
    own["split"] = [str(split) for split in np.asarray(store.splits)[rows].tolist()]
    return own | {name: as_text(column[rows]) for name, column in store.metadata.items()}


def require_columns(store: StoreColumns, names: Iterable[str | None]) -> None:
    """Check that a store has the columns that will be used; None stands for none.

    Raises
    ------
    InputError
        When it lacks one, which is named.
    """
    columns = {"group", "split", *store.metadata}
    for name in names:
        if name is not None and name not in columns:
            raise InputError(f"the store has {unknown_column(name, columns)}")
