"""Vectors before the projection, of the towers that OpenCLIP builds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

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
    with torch.no_grad():
        alone = visual(batch)
        counter = visual.register_forward_hook(lambda _, inputs, __: calls.append(len(inputs[0])))
        vectors, trunk = with_trunk(visual, batch)
        counter.remove()
    assert calls == [3]
    assert trunk_dim(visual) == trunk.shape[1] == width
    assert torch.equal(vectors, alone)
    with torch.no_grad():
        assert torch.equal(visual(batch), alone), "the tower is as it was before"


@pytest.mark.parametrize("config", [TRANSFORMER, CLIPVisionCfg(timm_proj="linear", **TIMM)])
def test_threads_share_a_tower(config):
    visual = tower(config)
    batches = [pixels(config.image_size) + i for i in range(8)]
    with torch.no_grad():
        alone = [with_trunk(visual, batch) for batch in batches]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda batch: with_trunk(visual, batch), batches))
    for one, other in zip(alone, together, strict=True):
        assert torch.allclose(one[0], other[0].detach(), atol=1e-6)
        assert torch.allclose(one[1], other[1].detach(), atol=1e-6)


def test_a_transformers_trunk_is_what_its_projection_gets():
    visual = tower(TRANSFORMER)
    with torch.no_grad():
        vectors, trunk = with_trunk(visual, pixels(32))
        projected = trunk @ visual.proj
    np.testing.assert_array_equal(vectors.numpy(), projected.numpy())
    mean = trunk.mean(dim=1).abs().max()
    assert mean < 1e-5, "a fresh ln_post leaves vectors of mean zero"


@pytest.mark.parametrize(
    "config", [RESNET, CLIPVisionCfg(timm_proj="none", **TIMM)], ids=["resnet", "unprojected"]
)
def test_towers_without_such_a_vector_say_so(config):
    assert trunk_dim(tower(config, 512)) == 0
