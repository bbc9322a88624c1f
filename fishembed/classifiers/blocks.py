"""Vectors that need not fit into memory: read block by block, as often as a head asks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol, TypeGuard, TypeVar

import numpy as np
import numpy.typing as npt
from scipy.sparse import issparse

from fishembed.errors import InputError

T = TypeVar("T")
Floats32 = npt.NDArray[np.float32]

BLOCK = 16_384
"""Rows read at once: 32 MB of 512 float32, small beside the memory, large beside a read."""


class Blocks(Protocol):
    """A matrix that is read by slices: of a store, an `h5py.Dataset`, a zarr array."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_images, dim)."""
        ...

    @property
    def dtype(self) -> np.dtype[Any]:
        """Of what a slice gives."""
        ...

    def __getitem__(self, key: slice, /) -> Any:
        """Give rows as an array."""
        ...


def are_blocks(X: object) -> TypeGuard[Blocks]:
    """Tell a matrix that is read by slices from one in memory; a numpy.memmap counts as one."""
    return (
        not isinstance(X, np.ndarray)
        and isinstance(getattr(X, "dtype", None), np.dtype)
        and len(getattr(X, "shape", ())) == 2
        and hasattr(X, "__getitem__")
        and not issparse(X)
    )


class Streamed:
    """Blocks of a matrix as float32, checked and scaled as they are read.

    Parameters
    ----------
    X
        The matrix.
    scaled
        What becomes of the rows of a block before they are used.
    """

    def __init__(self, X: Blocks, scaled: Callable[[Floats32], npt.NDArray[Any]]) -> None:
        self._X = X
        self._scaled = scaled
        self.n, self.dim = X.shape

    def __len__(self) -> int:
        return self.n

    def read(self, start: int, stop: int) -> Floats32:
        """Read rows `start` to `stop`.

        Raises
        ------
        InputError
            When one of them is not finite; names the first.
        """
        rows = np.ascontiguousarray(self._X[start:stop], dtype=np.float32)
        finite = np.isfinite(rows).all(axis=1)
        if not finite.all():
            raise InputError(f"row {start + int(np.argmin(finite)):,} of X is not finite.")
        return np.asarray(self._scaled(rows), np.float32)

    def spans(self, length: int = BLOCK) -> list[tuple[int, int]]:
        """(start, stop) of the blocks, in order."""
        return [(at, min(at + length, self.n)) for at in range(0, self.n, length)]


def read_ahead(jobs: Iterable[Callable[[], T]], depth: int = 1) -> Iterator[T]:
    """Yield the results of jobs in order; `depth` of them are done in threads meanwhile."""
    with ThreadPoolExecutor(depth, thread_name_prefix="read") as pool:
        waiting = []
        for job in jobs:
            waiting.append(pool.submit(job))
            if len(waiting) > depth:
                yield waiting.pop(0).result()
        while waiting:
            yield waiting.pop(0).result()
