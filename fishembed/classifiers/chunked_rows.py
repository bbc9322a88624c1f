"""Feature matrices that need not fit into memory, read chunk by chunk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from fishembed._base.arrays import Single
from fishembed.errors import InputError

T = TypeVar("T")

CHUNK = 16_384
"""Rows read at once: 32 MB of 512 float32, small beside the memory, large beside a read."""


class ChunkedArray(Protocol):
    """A matrix that is read by slices: of a store, an `h5py.Dataset`, a zarr array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_images, dim)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the arrays that slices return."""
        ...

    def __getitem__(self, key: slice, /) -> Any:
        """Return rows as an array."""
        ...


def is_chunked(X: object) -> TypeGuard[ChunkedArray]:
    """Return whether a matrix is read by slices; a numpy.memmap counts as in memory."""
    return (
        not isinstance(X, np.ndarray)
        and isinstance(getattr(X, "dtype", None), np.dtype)
        and len(getattr(X, "shape", ())) == 2
        and hasattr(X, "__getitem__")
        and not issparse(X)
    )


class ChunkedRows:
    """Rows of a chunked array as float32, checked and normalised as they are read."""

    dtype = np.dtype(np.float32)

    def __init__(
        self, X: ChunkedArray, normalize: Callable[[Single], npt.NDArray[Any]] | None = None
    ) -> None:
        self._X = X
        self._normalize = normalize
        self.n, self.dim = X.shape

    def __len__(self) -> int:
        return self.n

    def read(self, start: int, stop: int) -> Single:
        """Return rows `start` to `stop`, float32; the first that is not finite is an error."""
        rows = np.ascontiguousarray(self._X[start:stop], dtype=np.float32)
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            raise InputError(f"row {start + int(np.argmin(finite)):,} of X is not finite.")
        return rows if self._normalize is None else np.asarray(self._normalize(rows), np.float32)

    def mapped(
        self, function: Callable[[npt.NDArray[Any]], npt.NDArray[Any]], dim: int
    ) -> ChunkedRows:
        """Return the rows with a function applied as they are read; it returns `dim` columns."""
        before = self._normalize
        mapped = ChunkedRows(
            self._X, lambda rows: function(rows if before is None else before(rows))
        )
        mapped.dim = dim
        return mapped

    def spans(self) -> list[tuple[int, int]]:
        """Return (start, stop) of the chunks, in order."""
        return [(start, min(start + CHUNK, self.n)) for start in range(0, self.n, CHUNK)]


def prefetch(jobs: Iterable[Callable[[], T]], depth: int = 1) -> Iterator[T]:
    """Yield the results of `jobs` in order, while `depth` threads run the ones that follow."""
    with ThreadPoolExecutor(depth, thread_name_prefix="read") as pool:
        waiting = []
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > depth:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
