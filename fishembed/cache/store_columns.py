"""Columns of a store: path, label, split, group and what else is known of each row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from fishembed.cache.metadata import Column
from fishembed.cache.schema import Rows


class StoreColumns(ABC):
    """The columns of a store, each read when it is asked for first."""

    @abstractmethod
    def column(self, name: str) -> Any:
        """Return a column of `Rows` by its name: a list of text, or an array of integers."""

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
