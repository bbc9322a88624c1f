"""The exported network computes what the head and its refusal compute."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fishembed.classifiers import (
    AngularHead,
    BlendClassifier,
    LogisticHead,
    NeighborsHead,
    load_head,
    save_head,
)
from fishembed.classifiers.cross_validation import HeldOutLogits
from fishembed.classifiers.novelty import indecision
from fishembed.experiments.held_out import score_held_out
from fishembed.experiments.training import TrainingData
from fishembed.sharing.bundle_network import OUTPUTS, BundleNetwork

RNG = np.random.default_rng(0)
Y = np.arange(120) % 4
SIDE = 4
IMAGES = RNG.integers(0, 256, (40, SIDE, SIDE, 3), np.uint8)


class Flatten(torch.nn.Module):
    def forward(self, pixels):
        return pixels.permute(0, 2, 3, 1).reshape(len(pixels), -1)


def features(images):
    return ((images.astype(np.float32) / 255 - 0.5) / 0.5).reshape(len(images), -1)


def training():
    centres = RNG.integers(0, 256, (4, SIDE, SIDE, 3))
    noisy = np.clip(centres[Y] + RNG.normal(0, 30, (120, SIDE, SIDE, 3)), 0, 255)
    return TrainingData(features(noisy.astype(np.uint8)), Y.astype(np.int32), None, None)


@pytest.mark.parametrize(
    "head",
    [
        LogisticHead(),
        LogisticHead(normalize="none"),
        AngularHead(),
        NeighborsHead(),
        NeighborsHead(3, weights="uniform"),
        BlendClassifier(NeighborsHead(), LogisticHead(normalize="none"), weight=0.5),
    ],
    ids=repr,
)
def test_answers_are_those_of_the_head(head, tmp_path):
    data = training()
    head.fit(data.X, data.y)
    saved = load_head(save_head(head, tmp_path / "head.npz", temperature=1.7)).calibrated()
    logits = HeldOutLogits.of(head, data.X, data.y, data.groups, random_state=0)
    kept = score_held_out(head, data, logits, 1.7, 0)
    network = BundleNetwork(
        Flatten(), (0.5,) * 3, (0.5,) * 3, head=saved, kept=kept, send_back=0.05
    )

    found = dict(
        zip(OUTPUTS, (one.numpy() for one in network(torch.from_numpy(IMAGES))), strict=True)
    )

    X = features(IMAGES)
    logits, distance = saved.logits(X), kept.distances(X)
    strange = kept.known.strangeness(indecision(logits), distance) > kept.known.threshold(0.05)
    far = kept.known.is_distance(indecision(logits), distance)
    assert found["features"] == pytest.approx(X, abs=1e-5)
    assert found["probabilities"] == pytest.approx(saved.predict_proba(X), abs=1e-4)
    assert found["logits"].argmax(axis=1).tolist() == logits.argmax(axis=1).tolist()
    assert found["unknown"].tolist() == strange.tolist()
    assert found["like_none"].tolist() == (strange & far).tolist()
    assert strange.any()


def test_without_held_out_scores_nothing_is_sent_back(tmp_path):
    data = training()
    saved = load_head(save_head(LogisticHead().fit(data.X, data.y), tmp_path / "head.npz"))
    network = BundleNetwork(
        Flatten(), (0.5,) * 3, (0.5,) * 3, head=saved, kept=None, send_back=0.05
    )
    *_, unknown, like_none = network(torch.from_numpy(IMAGES))
    assert not unknown.any()
    assert not like_none.any()
