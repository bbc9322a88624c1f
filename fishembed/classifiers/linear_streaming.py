"""Minibatches from vectors that do not fit into memory."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed.classifiers.blocks import BLOCK, Floats32, Streamed, read_ahead

if TYPE_CHECKING:
    import torch

RUN = 1024
"""Neighbouring rows that are read together: a megabyte of 512 float16."""

RUNS_AT_ONCE = 64
"""Runs that are shuffled among each other: 65,536 rows, 128 MB of 512 float32."""


class StreamedRows:
    """Training rows in blocks, in place of `linear_training.Rows`.

    Every epoch takes the runs of neighbouring rows in a new random order, and shuffles the
    rows of 64 runs among each other. That is as good as a full shuffle where rows are in no
    order, and mixes 64 places of the store where they lie by class.

    Parameters
    ----------
    rows
        The vectors.
    codes
        (n,) class of every row.
    device
        Where the layer is; blocks are brought there.
    """

    def __init__(self, rows: Streamed, codes: npt.NDArray[np.intp], device: str) -> None:
        self._rows = rows
        self._device = device
        self.labels = codes
        self.dim = rows.dim

    @property
    def device(self) -> str:
        """Where the layer is."""
        return self._device

    def batches(
        self, size: int, generator: torch.Generator
    ) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield the minibatches of an epoch: vectors and classes."""
        import torch

        starts = np.arange(0, len(self._rows), RUN)
        order = starts[torch.randperm(len(starts), generator=generator).numpy()]
        groups = np.split(order, range(RUNS_AT_ONCE, len(order), RUNS_AT_ONCE))
        for rows, codes in read_ahead(partial(self._read, group) for group in groups):
            mixed = torch.randperm(len(codes), generator=generator)
            X, y = self._tensors(rows[mixed.numpy()], codes[mixed.numpy()])
            yield from zip(torch.split(X, size), torch.split(y, size), strict=True)

    def blocks(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Yield all rows once, in order."""
        spans = self._rows.spans(BLOCK)
        parts = read_ahead(partial(self._rows.read, *span) for span in spans)
        for (start, stop), rows in zip(spans, parts, strict=True):
            yield self._tensors(rows, self.labels[start:stop])

    def _read(self, starts: npt.NDArray[np.int64]) -> tuple[Floats32, npt.NDArray[np.intp]]:
        spans = [(int(at), min(int(at) + RUN, len(self._rows))) for at in starts]
        rows = np.concatenate([self._rows.read(*span) for span in spans])
        return rows, np.concatenate([self.labels[start:stop] for start, stop in spans])

    def _tensors(
        self, rows: Floats32, codes: npt.NDArray[np.intp]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        import torch

        X, y = torch.from_numpy(rows), torch.from_numpy(codes.astype(np.int64))
        return X.to(self._device), y.to(self._device)
