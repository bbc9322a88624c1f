"""Minibatches of training rows, in memory or read chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from fishembed.classifiers.base import Codes
from fishembed.classifiers.chunked_rows import ChunkedRows, Floats32, prefetch

if TYPE_CHECKING:
    import torch

RUN = 1024
"""Neighbouring rows that are read together: a megabyte of 512 float16."""

RUNS_AT_ONCE = 64
"""Runs that are shuffled among each other: 65,536 rows, 128 MB of 512 float32."""


@dataclass(frozen=True)
class InMemoryRows:
    """Rows as tensors on the device that trains.

    Attributes
    ----------
    X
        float32 (n, dim).
    codes
        int64 (n,) positions of the classes, -1 for a class that is not trained.
    labels
        (n,) numbers of the classes, also of those not trained.
    """

    X: torch.Tensor
    codes: torch.Tensor
    labels: Codes

    @property
    def dim(self) -> int:
        """Width of the rows."""
        return int(self.X.shape[1])

    @property
    def device(self) -> torch.device:
        """Device of the rows."""
        return self.X.device

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: rows and codes."""
        import torch

        order = torch.randperm(len(self.X), generator=generator).to(self.X.device)
        for batch in torch.split(order, size):
            yield self.X[batch], self.codes[batch]

    def chunks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows at once."""
        yield self.X, self.codes


class StreamedRows:
    """Rows that are read chunk by chunk, with the interface of `InMemoryRows`.

    Every epoch takes the runs of neighbouring rows in a new random order, and shuffles the
    rows of 64 runs among each other. That is as good as a full shuffle where rows are in no
    order, and mixes 64 places of the store where they lie by class.

    Parameters
    ----------
    rows
        The features.
    codes
        (n,) class of every row.
    device
        Device that chunks are moved to.
    """

    def __init__(self, rows: ChunkedRows, codes: Codes, device: str) -> None:
        self._rows = rows
        self.device = device
        self.labels = codes
        self.dim = rows.dim

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: rows and codes."""
        import torch

        starts = np.arange(0, len(self._rows), RUN)
        order = starts[torch.randperm(len(starts), generator=generator).numpy()]
        groups = np.split(order, range(RUNS_AT_ONCE, len(order), RUNS_AT_ONCE))
        for rows, codes in prefetch(partial(self._read, group) for group in groups):
            mixed = torch.randperm(len(codes), generator=generator)
            X, y = self._tensors(rows[mixed.numpy()], codes[mixed.numpy()])
            yield from zip(torch.split(X, size), torch.split(y, size), strict=True)

    def chunks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows once, in order."""
        spans = self._rows.spans()
        chunks = prefetch(partial(self._rows.read, *span) for span in spans)
        for (start, stop), rows in zip(spans, chunks, strict=True):
            yield self._tensors(rows, self.labels[start:stop])

    def _read(self, starts: Codes) -> tuple[Floats32, Codes]:
        spans = [(int(start), min(int(start) + RUN, len(self._rows))) for start in starts]
        rows = np.concatenate([self._rows.read(*span) for span in spans])
        return rows, np.concatenate([self.labels[start:stop] for start, stop in spans])

    def _tensors(self, rows: Floats32, codes: Codes) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        X, y = torch.from_numpy(rows), torch.from_numpy(codes.astype(np.int64))
        return X.to(self.device), y.to(self.device)
