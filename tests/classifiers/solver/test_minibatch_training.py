"""Our Adam against torch's, and epochs scored in blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fishembed.classifiers import LinearHead
from fishembed.classifiers.chunked_rows import ChunkedRows
from fishembed.classifiers.solver import minibatch_training
from fishembed.classifiers.solver.minibatch_training import Adam, InMemoryRows, StreamedRows

X = np.arange(6000, dtype=np.float32).reshape(3000, 2)
CODES = np.arange(3000)


@pytest.mark.parametrize("weight_decay", [0.0, 0.01])
def test_steps_are_torchs(weight_decay):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn((64, 12), generator=generator)
    y = torch.randint(0, 5, (64,), generator=generator)
    ours, theirs = torch.nn.Linear(12, 5), torch.nn.Linear(12, 5)
    theirs.load_state_dict(ours.state_dict())
    mine = Adam([*ours.parameters()], 0.01, weight_decay)
    reference = torch.optim.Adam(theirs.parameters(), lr=0.01, weight_decay=weight_decay)
    for step in range(30):
        rate = 0.01 / (1 + step)
        mine.learning_rate = reference.param_groups[0]["lr"] = rate
        mine.step(torch.nn.functional.cross_entropy(ours(X), y))
        reference.zero_grad()
        torch.nn.functional.cross_entropy(theirs(X), y).backward()
        reference.step()
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-6, atol=1e-8)


def test_blocks_of_logits_score_an_epoch_the_same(monkeypatch):
    rng = np.random.default_rng(0)
    y = np.arange(70) % 7
    X = np.eye(7)[y] + rng.normal(size=(70, 7))
    sizes = []
    forward = torch.nn.Linear.forward
    monkeypatch.setattr(
        torch.nn.Linear, "forward", lambda self, X: sizes.append(len(X)) or forward(self, X)
    )
    monkeypatch.setattr(minibatch_training, "_LOGITS", 7 * 16)
    blocks = LinearHead(epochs=3, random_state=0, batch_size=8).fit(X, y).history_
    assert max(sizes) <= 16
    monkeypatch.setattr(minibatch_training, "_LOGITS", 2**25)
    assert len(blocks) == 3
    again = LinearHead(epochs=3, random_state=0, batch_size=8).fit(X, y).history_
    for one, other in zip(blocks, again, strict=True):
        assert one.train_loss == pytest.approx(other.train_loss, rel=1e-6)
        assert one.train_accuracy == other.train_accuracy


@pytest.fixture(params=["in memory", "streamed"])
def rows(request, monkeypatch):
    monkeypatch.setattr("fishembed.classifiers.chunked_rows.CHUNK", 256)
    monkeypatch.setattr(minibatch_training, "RUN", 16)
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
