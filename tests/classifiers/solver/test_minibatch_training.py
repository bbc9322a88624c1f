"""Our Adam against torch's."""

from __future__ import annotations

import pytest
import torch

from fishembed.classifiers.solver.minibatch_training import Adam


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
