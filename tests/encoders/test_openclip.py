"""OpenCLIP without a hub: random weights in local files, and a hub that is faked."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from open_clip.model import CLIPVisionCfg, _build_vision_tower
from PIL import Image

from fishembed.encoders import hub, load_encoder
from fishembed.encoders.openclip import trunk_dim, with_trunk
from fishembed.errors import QuickGELUError, UnknownEncoderError, WeightsError
from fishembed.images import crop_pixels

ARCHITECTURE = "ViT-S-32-alt"


@pytest.fixture(scope="module")
def model():
    import open_clip
    import torch

    torch.manual_seed(0)
    return open_clip.create_model(ARCHITECTURE).eval()


@pytest.fixture(scope="module")
def weights(model, tmp_path_factory):
    import torch

    path = tmp_path_factory.mktemp("weights") / "small.pt"
    torch.save(model.state_dict(), path)
    return path


@pytest.fixture(scope="module")
def encoder(weights):
    return load_encoder(f"{ARCHITECTURE}@{weights}", device="cpu")


def photos() -> list[Image.Image]:
    rng = np.random.default_rng(0)
    sizes = [(300, 200), (224, 224), (97, 400)]
    return [Image.fromarray(rng.integers(0, 256, (h, w, 3), np.uint8)) for w, h in sizes]


def test_vectors_are_open_clips_own(model, encoder):
    import open_clip
    import torch
    from open_clip.transform import PreprocessCfg, image_transform_v2

    config = open_clip.get_model_preprocess_cfg(model)
    transform = image_transform_v2(PreprocessCfg(**config), False)
    with torch.no_grad():
        theirs = model.encode_image(torch.stack([transform(p) for p in photos()])).numpy()
    geometry = encoder.spec.preprocessing.geometry()
    ours = encoder.encode_images(np.stack([crop_pixels(p, **geometry) for p in photos()]))
    assert np.abs(ours - theirs).max() < 1e-5
    assert ours.shape[1] == encoder.spec.dim


def test_texts_are_open_clips_own(model, encoder):
    import open_clip
    import torch

    texts = ["a photo of a tench", "ένα ψάρι"]
    with torch.no_grad():
        theirs = model.encode_text(open_clip.get_tokenizer(ARCHITECTURE)(texts)).numpy()
    assert np.abs(encoder.encode_texts(texts) - theirs).max() < 1e-5
    assert encoder.encode_texts([]).shape == (0, encoder.spec.dim)
    assert encoder.logit_scale == pytest.approx(1 / 0.07, rel=1e-4)


def test_safetensors_give_the_same_encoder(model, encoder, tmp_path):
    from safetensors.torch import save_file

    path = tmp_path / "small.safetensors"
    save_file({k: v.clone() for k, v in model.state_dict().items()}, path)
    same = load_encoder(f"{ARCHITECTURE}@{path}", device="cpu")
    assert same.spec.fingerprint == encoder.spec.fingerprint


def test_other_weights_are_another_encoder(model, encoder, tmp_path):
    import torch

    state = dict(model.state_dict())
    state["logit_scale"] = state["logit_scale"] + 1
    torch.save(state, tmp_path / "other.pt")
    other = load_encoder(f"{ARCHITECTURE}@{tmp_path / 'other.pt'}", device="cpu")
    assert other.spec.fingerprint != encoder.spec.fingerprint


def test_weights_that_do_not_fit(weights, tmp_path):
    with pytest.raises(WeightsError, match="does not load as weights of 'ViT-B-32'"):
        load_encoder(f"ViT-B-32@{weights}", device="cpu")
    broken = tmp_path / "broken.pt"
    broken.write_bytes(b"nonsense")
    with pytest.raises(WeightsError, match="does not load"):
        load_encoder(f"{ARCHITECTURE}@{broken}", device="cpu")
    with pytest.raises(WeightsError, match="no weights file"):
        load_encoder(f"{ARCHITECTURE}@{tmp_path / 'none.pt'}", device="cpu")


class Bomb:
    def __reduce__(self):
        return print, ("a pickle was executed",)


def test_a_pickle_is_never_executed(tmp_path, capsys):
    import pickle

    path = tmp_path / "bomb.pt"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(WeightsError):
        load_encoder(f"{ARCHITECTURE}@{path}", device="cpu")
    assert "executed" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32-quickgelu/laion2b_s34b_b79k", "ViT-B-32/laion2b_s34b_b79k"),
    ],
)
def test_quickgelu_mismatch_names_the_right_model(name, right):
    with pytest.raises(QuickGELUError, match=f"name '{right}'"):
        load_encoder(name, device="cpu")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("ViT-B-33/openai", "no architecture 'ViT-B-33': did you mean 'ViT-B-32'"),
        ("ViT-B-32/opnai", "no weights 'opnai' for 'ViT-B-32': did you mean 'openai'"),
        ("timm:resnt18", "no model 'resnt18': did you mean 'timm:resnet18'"),
    ],
)
def test_unknown_names_are_told_the_nearest(name, message):
    with pytest.raises(UnknownEncoderError, match=message):
        load_encoder(name, device="cpu")


@pytest.mark.parametrize(
    "name",
    ["ViT-B-32-quickgelu/openai", "RN50-quickgelu/cc12m", "timm:resnet18", "hf-hub:org/model"],
)
def test_weights_out_of_reach_name_three_ways_out(name, monkeypatch, tmp_path):
    monkeypatch.setattr(hub, "is_cached", lambda repo, filename=None: False)
    monkeypatch.setattr(hub, "is_downloaded", lambda url: False)

    def unreachable(*_arguments, **_options):
        raise OSError("no route to host")

    monkeypatch.setattr("urllib.request.urlopen", unreachable)
    with pytest.raises(WeightsError, match=r"HF_HOME.*local file.*embedded"):
        load_encoder(name, device="cpu")


def test_a_hub_that_does_not_answer_costs_seconds(monkeypatch):
    asked = []

    class Api:
        def model_info(self, repo, timeout):
            asked.append((repo, timeout))
            raise TimeoutError("timed out")

    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("huggingface_hub.HfApi", Api)
    monkeypatch.setattr(hub, "is_cached", lambda repo, filename=None: False)
    with pytest.raises(WeightsError, match="no answer from the hub: timed out"):
        load_encoder("hf-hub:org/model", device="cpu")
    assert asked == [("org/model", hub.PATIENCE)]


def test_a_model_of_the_hub(model, monkeypatch, tmp_path):
    """A faked hub serves a configuration and safetensors, as the real one does."""
    import json

    import open_clip
    from safetensors.torch import save_file

    save_file(
        {k: v.clone() for k, v in model.state_dict().items()},
        tmp_path / "open_clip_model.safetensors",
    )
    config = {
        "model_cfg": open_clip.get_model_config(ARCHITECTURE),
        "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3, "resize_mode": "squash"},
    }
    (tmp_path / "open_clip_config.json").write_text(json.dumps(config))

    def download(repo_id, filename, **_options):
        if not (tmp_path / filename).is_file():
            raise FileNotFoundError(filename)
        return str(tmp_path / filename)

    monkeypatch.setattr("open_clip.pretrained.hf_hub_download", download)
    monkeypatch.setattr(hub, "is_cached", lambda repo, filename=None: True)
    found = load_encoder("hf-hub:org/model", device="cpu")
    assert found.spec.preprocessing.fit == "squash"
    assert found.spec.preprocessing.std == (0.25,) * 3
    assert found.encode_texts(["a fish"]).shape == (1, found.spec.dim)


@pytest.mark.slow
def test_vit_b_32_from_a_file_is_open_clips_own(tmp_path):
    import open_clip
    import torch

    torch.manual_seed(1)
    model = open_clip.create_model("ViT-B-32").eval()
    torch.save(model.state_dict(), tmp_path / "b32.pt")
    encoder = load_encoder(f"ViT-B-32@{tmp_path / 'b32.pt'}", device="cpu")
    transform = open_clip.image_transform(224, is_train=False)
    with torch.no_grad():
        theirs = model.encode_image(torch.stack([transform(p) for p in photos()])).numpy()
    geometry = encoder.spec.preprocessing.geometry()
    ours = encoder.encode_images(np.stack([crop_pixels(p, **geometry) for p in photos()]))
    assert np.abs(ours - theirs).max() < 1e-5


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
