from __future__ import annotations

import numpy as np
import pytest
import torch

from fishembed.classifiers.chunked_rows import ChunkedRows
from fishembed.classifiers.solver import minibatches
from fishembed.classifiers.solver.minibatches import InMemoryRows, StreamedRows

X = np.arange(6000, dtype=np.float32).reshape(3000, 2)
CODES = np.arange(3000)


@pytest.fixture(params=["in memory", "streamed"])
def rows(request, monkeypatch):
    monkeypatch.setattr("fishembed.classifiers.chunked_rows.CHUNK", 256)
    monkeypatch.setattr(minibatches, "RUN", 16)
    if request.param == "streamed":
        return StreamedRows(ChunkedRows(X), CODES, "cpu")
    return InMemoryRows(torch.from_numpy(X), torch.from_numpy(CODES), CODES)


def test_every_row_is_in_every_epoch(rows):
    generator = torch.Generator().manual_seed(0)
    epochs = [[*rows.batches(64, generator)] for _ in "ab"]
    seen = [np.concatenate([codes.numpy() for _, codes in epoch]) for epoch in epochs]
    for codes, epoch in zip(seen, epochs, strict=True):
        assert sorted(codes) == CODES.tolist()
        assert (np.concatenate([batch.numpy() for batch, _ in epoch]) == X[codes]).all()
    assert (seen[0] != seen[1]).any()
    assert np.mean(np.abs(np.diff(seen[0]))) > 300, "neighbours stay together"


def test_chunks_are_all_rows_in_order(rows):
    chunks = [*rows.chunks()]
    assert (np.concatenate([codes.numpy() for _, codes in chunks]) == CODES).all()
    assert (np.concatenate([chunk.numpy() for chunk, _ in chunks]) == X).all()
    assert rows.dim == 2
    assert str(rows.device) == "cpu"
