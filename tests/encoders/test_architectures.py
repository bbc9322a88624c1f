"""Architectures of OpenCLIP, with random weights, against OpenCLIP's own output.

One of each make; all of them, in ten minutes, with FISHEMBED_ALL_ARCHITECTURES=1.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np
import open_clip
import open_clip.factory
import pytest
import timm
import torch
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from fishembed.encoders import openclip, parse_name, timm_models
from fishembed.errors import MissingExtraError
from fishembed.images import crop_pixels

ARCHITECTURES = sorted({architecture for architecture, _ in open_clip.list_pretrained()})
ONE_OF_EACH_MAKE = [
    "EVA02-B-16",
    "MobileCLIP2-S0",
    "PE-Core-T-16-384",
    "RN50-quickgelu",
    "ViT-B-16-SigLIP2",
    "ViT-B-32-256",
    "ViT-B-32-quickgelu",
    "ViT-L-14-CLIPA",
    "ViTamin-S",
    "coca_ViT-B-32",
    "convnext_base_w",
    "roberta-ViT-B-32",
]
TRIED = ARCHITECTURES if os.environ.get("FISHEMBED_ALL_ARCHITECTURES") else ONE_OF_EACH_MAKE
TEXTS = ["a photo of a fish.", "Dascyllus reticulatus"]


class CharacterTokenizer:
    """What transformers' tokenizers do, by characters: the vocabularies lie on the hub."""

    pad_token_id, bos_token_id, cls_token_id, sep_token_id, eos_token_id = 1, 0, 101, 102, 2

    def __call__(self, texts: list[str], *, max_length: int, **_: Any) -> Any:
        import transformers

        ids = torch.full((len(texts), max_length), self.pad_token_id)
        for row, text in enumerate(texts):
            tokens = [3 + ord(character) % 900 for character in text][:max_length]
            ids[row, : len(tokens)] = torch.tensor(tokens)
        return transformers.BatchEncoding({"input_ids": ids})

    batch_encode_plus = __call__


def small_text_config(name: str, *, return_unused_kwargs: bool = False, **_: Any) -> Any:
    """Return a configuration of the right kind, but small: the real one lies on the hub."""
    import transformers

    kind = "m2m_100" if "nllb" in name else "xlm-roberta" if "xlm" in name else "roberta"
    sizes = {
        "d_model": 64,
        "hidden_size": 64,
        "encoder_layers": 2,
        "num_hidden_layers": 2,
        "decoder_layers": 1,
        "num_attention_heads": 4,
        "encoder_attention_heads": 4,
        "intermediate_size": 64,
        "max_position_embeddings": 600,
    }
    config = transformers.AutoConfig.for_model(kind, vocab_size=1000, **sizes)
    return (config, {}) if return_unused_kwargs else config


def two_layers(create: Callable[..., Any]) -> Callable[..., Any]:
    """Have timm build transformers of two layers; networks of another make stay whole."""

    def create_shallow(name: str, *arguments: Any, **options: Any) -> Any:
        try:
            return create(name, *arguments, depth=2, **options)
        except TypeError:
            return create(name, *arguments, **options)

    return create_shallow


def quick_uniform(tensor: torch.Tensor, *_: Any, **__: Any) -> torch.Tensor:
    """Fill with random numbers of a usual size, ten times as fast as truncated normals."""
    with torch.no_grad():
        return tensor.uniform_(-0.03, 0.03)


@pytest.fixture
def small_models(monkeypatch):
    """Let every architecture be built in seconds, from nothing but what is installed."""
    import transformers

    monkeypatch.setattr(
        transformers.AutoTokenizer, "from_pretrained", lambda *_, **__: CharacterTokenizer()
    )
    monkeypatch.setattr(transformers.AutoConfig, "from_pretrained", small_text_config)
    monkeypatch.setattr(timm, "create_model", two_layers(timm.create_model))
    for name in ("trunc_normal_", "normal_", "xavier_uniform_", "kaiming_normal_"):
        monkeypatch.setattr(torch.nn.init, name, quick_uniform)
    for config in open_clip.factory._MODEL_CONFIGS.values():
        for tower in ("vision_cfg", "text_cfg"):
            if isinstance(config[tower].get("layers"), int):
                monkeypatch.setitem(config[tower], "layers", 2)


def photos() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    coarse = [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)) for h, w in ((3, 4), (5, 3))
    ]
    return [image.resize((320, 240), Image.Resampling.BICUBIC) for image in coarse]


@pytest.mark.slow
@pytest.mark.parametrize("architecture", TRIED)
def test_encodes_as_open_clip_does(architecture, small_models, monkeypatch):
    torch.manual_seed(0)
    tag = open_clip.list_pretrained_tags_by_model(architecture)[0]
    model = open_clip.create_model(architecture, load_weights=False, pretrained_text=False).eval()
    transform = image_transform_v2(
        PreprocessCfg(**open_clip.get_model_preprocess_cfg(model)), is_train=False
    )
    with torch.inference_mode():
        images = model.encode_image(torch.stack([transform(photo) for photo in photos()])).numpy()
        texts = model.encode_text(open_clip.get_tokenizer(architecture)(TEXTS)).numpy()
    monkeypatch.setattr(openclip, "check_name", lambda name: None)
    monkeypatch.setattr(openclip, "_create_model", lambda *_, **__: model)

    encoder = openclip.OpenCLIPEncoder(parse_name(f"{architecture}/{tag}"))
    geometry = encoder.spec.preprocessing.geometry()
    batch = np.stack([crop_pixels(photo, **geometry) for photo in photos()])

    assert encoder.spec.dim == images.shape[1]
    assert close(encoder.encode_images(batch), images)
    assert close(encoder.encode_texts(TEXTS), texts)
    assert encoder.logit_scale > 1
    if encoder.trunk_dim:
        features, trunk = encoder.encode_with_trunk(batch)
        assert close(features, images)
        assert trunk.shape == (2, encoder.trunk_dim)


def close(ours: np.ndarray, theirs: np.ndarray) -> bool:
    return bool(np.abs(ours - theirs).max() <= 1e-4 * np.abs(theirs).max())


TIMM_FAMILIES = [
    "resnet18.a1_in1k",
    "vit_tiny_patch16_224.augreg_in21k",
    "vit_small_patch16_dinov3.lvd1689m",
    "convnext_atto.d2_in1k",
    "tf_efficientnet_lite0.in1k",
    "mobilenetv3_small_050.lamb_in1k",
    "swin_tiny_patch4_window7_224.ms_in1k",
]


@pytest.mark.slow
@pytest.mark.parametrize("name", TIMM_FAMILIES)
def test_encodes_as_timm_does(name, monkeypatch):
    torch.manual_seed(0)
    network = timm.create_model(name, pretrained=False, num_classes=0).eval()
    config = timm.data.resolve_model_data_config(network)
    transform = timm.data.create_transform(**config, is_training=False)
    with torch.inference_mode():
        expected = network(torch.stack([transform(photo) for photo in photos()])).numpy()
    monkeypatch.setattr(timm_models, "_create", lambda _: (network, ""))

    encoder = timm_models.TimmEncoder(parse_name(f"timm:{name}"))
    geometry = encoder.spec.preprocessing.geometry()
    batch = np.stack([crop_pixels(photo, **geometry) for photo in photos()])

    assert encoder.spec.dim == expected.shape[1]
    assert close(encoder.encode_images(batch), expected)
    assert encoder.encode_texts(TEXTS) is None


@pytest.mark.parametrize("architecture", ["ViT-B-16-SigLIP2", "roberta-ViT-B-32"])
def test_words_by_transformers_need_the_extra(architecture, monkeypatch):
    monkeypatch.setattr(openclip, "find_spec", lambda _: None)
    tag = open_clip.list_pretrained_tags_by_model(architecture)[0]
    with pytest.raises(MissingExtraError, match=r"pip install 'fishembed\[text\]'"):
        openclip.check_name(parse_name(f"{architecture}/{tag}"))
