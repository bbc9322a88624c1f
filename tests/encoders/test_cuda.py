"""On a GPU: the features of a CPU, page-locked memory, every way to decode, and whole runs."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from PIL import Image

from fishembed.cache import FeatureStore
from fishembed.encoders import load_encoder, page_locked, parallel_encoders
from fishembed.extraction import extract
from fishembed.extraction.local_engine import LocalEngine

pytestmark = [
    pytest.mark.cuda,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device on this machine"),
]

LEAST = {"fp32": 0.9999, "bf16": 0.99, "fp16": 0.998}


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


@pytest.fixture(scope="module")
def weights(tmp_path_factory) -> str:
    """Save random weights of ViT-B-32 and return the encoder's name."""
    import open_clip
    from safetensors.torch import save_file

    torch.manual_seed(0)
    file = tmp_path_factory.mktemp("weights") / "vit.safetensors"
    save_file(open_clip.create_model("ViT-B-32").state_dict(), str(file))
    return f"ViT-B-32@{file}"


@pytest.fixture(scope="module")
def batch() -> np.ndarray:
    """Smooth images: pure noise is what no network was made for."""
    coarse = np.random.default_rng(0).integers(0, 256, (48, 14, 14, 3), np.uint8)
    return coarse.repeat(16, axis=1).repeat(16, axis=2)


@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
@pytest.mark.parametrize("model", ["ViT-B-32", "embedded"])
def test_features_are_those_of_a_cpu(weights, batch, model, precision):
    name = weights if model == "ViT-B-32" else model
    cpu = load_encoder(name, device="cpu", precision="fp32", decoding="exact")
    gpu = load_encoder(name, device="cuda", precision=precision, decoding="exact")
    assert gpu.device.startswith("cuda (")
    found = cosines(cpu.encode_images(batch), gpu.encode_images(batch))
    assert found.min() > LEAST[precision]


def test_lanes_and_page_locked_memory_change_nothing(batch):
    encoder = load_encoder("embedded", device="cuda", precision="fp32", decoding="exact")
    expected = encoder.encode_images(batch)
    memory = batch.copy()
    with page_locked(memory, encoder.device):
        assert torch.from_numpy(memory).is_pinned()
        with parallel_encoders(encoder) as several:
            assert len(several) >= 2
            for lane in several:
                np.testing.assert_allclose(lane.encode_images(memory), expected, atol=1e-4)
    assert not torch.from_numpy(memory).is_pinned()


def test_a_batch_that_does_not_fit_is_halved(photos, workspace):
    encoder = load_encoder("embedded", device="cuda", precision="fp32", decoding="exact")
    real, sizes = encoder._forward, []

    def forward(pixels):
        sizes.append(len(pixels))
        if len(pixels) > 4:
            torch.empty(1 << 44, dtype=torch.uint8, device="cuda")
        return real(pixels)

    encoder._forward = forward
    done = extract(photos, workspace / "a.h5", encoder=encoder, batch_size=12)
    assert done.encoded == 12
    assert max(sizes) == 12
    assert sizes[-1] <= 4


@pytest.fixture
def photos(workspace):
    folder = workspace / "photos/bass"
    folder.mkdir(parents=True)
    for seed in range(12):
        coarse = np.random.default_rng(seed).integers(0, 256, (26, 32, 3), np.uint8)
        image = Image.fromarray(coarse).resize((640, 520), Image.Resampling.BICUBIC)
        image.save(folder / f"{seed:02d}.jpg", quality=90)
    return workspace / "photos"


@pytest.mark.parametrize("processes", [False, True])
@pytest.mark.parametrize("decoding", ["exact", "fast", "device"])
def test_a_run_on_a_gpu_gives_the_features_of_one_on_a_cpu(photos, workspace, decoding, processes):
    if decoding == "device":
        pytest.importorskip("torchcodec")
    options = {"encoder": "embedded", "precision": "fp32", "prompts": ()}
    extract(photos, workspace / "cpu.h5", device="cpu", decoding="exact", **options)
    done = extract(
        photos,
        workspace / "gpu.h5",
        device="cuda",
        decoding=decoding,
        engine=LocalEngine(processes=processes),
        **options,
    )
    assert (done.encoded, done.skipped) == (12, 0)
    with (
        FeatureStore.open(workspace / "cpu.h5") as cpu,
        FeatureStore.open(workspace / "gpu.h5") as gpu,
    ):
        assert cpu.paths == gpu.paths
        found = cosines(np.asarray(cpu.features), np.asarray(gpu.features))
    assert found.min() > (0.9999 if decoding == "exact" else 0.98)
