"""Vectors before the projection, of the towers that OpenCLIP builds."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from open_clip.model import CLIPVisionCfg, _build_vision_tower

from fishembed.encoders.trunk import trunk_dim, with_trunk

TRANSFORMER = CLIPVisionCfg(layers=2, width=64, head_width=32, patch_size=16, image_size=32)
TIMM = {"timm_model_name": "resnet10t", "timm_pool": "avg", "image_size": 64}
RESNET = CLIPVisionCfg(layers=(1, 1, 1, 1), width=16, image_size=64)


def tower(config, dim=24):
    torch.manual_seed(0)
    return _build_vision_tower(dim, config).eval()


def pixels(side):
    return torch.rand(3, 3, side, side, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize(
    ("config", "width"),
    [
        (TRANSFORMER, 64),
        (CLIPVisionCfg(timm_proj="linear", **TIMM), 512),
        (CLIPVisionCfg(timm_proj="mlp", **TIMM), 512),
        (CLIPVisionCfg(timm_proj="", **TIMM), 512),
    ],
    ids=["transformer", "timm-linear", "timm-mlp", "timm-classifier"],
)
def test_one_pass_gives_both_and_the_same_vectors(config, width):
    visual = tower(config)
    batch = pixels(config.image_size)
    calls = []
    forward = visual.forward

    def counted(batch):
        calls.append(len(batch))
        return forward(batch)

    with torch.no_grad():
        alone = visual(batch)
        vectors, trunk = with_trunk(visual, counted, batch)
    assert calls == [3]
    assert trunk_dim(visual) == trunk.shape[1] == width
    assert torch.equal(vectors, alone)
    with torch.no_grad():
        assert torch.equal(visual(batch), alone), "the tower is as it was before"


def test_a_transformers_trunk_is_what_its_projection_gets():
    visual = tower(TRANSFORMER)
    with torch.no_grad():
        vectors, trunk = with_trunk(visual, visual.forward, pixels(32))
        projected = trunk @ visual.proj
    np.testing.assert_array_equal(vectors.numpy(), projected.numpy())
    mean = trunk.mean(dim=1).abs().max()
    assert mean < 1e-5, "a fresh ln_post leaves vectors of mean zero"


@pytest.mark.parametrize(
    "config", [RESNET, CLIPVisionCfg(timm_proj="none", **TIMM)], ids=["resnet", "unprojected"]
)
def test_towers_without_such_a_vector_say_so(config):
    assert trunk_dim(tower(config, 512)) == 0
