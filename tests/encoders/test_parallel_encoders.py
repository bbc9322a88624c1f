"""Several batches at once: on the cores of a CPU, and on a CUDA that is played."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from fake_encoder import FakeEncoder

from fishembed.encoders import load_encoder, parallel_encoders
from fishembed.encoders import torch_encoder as torch_encoder_module
from fishembed.encoders.embedded.embedded_encoder import load_network
from fishembed.encoders.parallel_encoders import other_devices, own_stream, to_device
from fishembed.encoders.torch_encoder import fold_batch_norms


@pytest.fixture(scope="module")
def encoder():
    return load_encoder("embedded", device="cpu", precision="fp32")


def pixels(seed: int, n: int = 2) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, 224, 224, 3), np.uint8)


def test_an_encoder_that_says_nothing_is_one_lane():
    fake = FakeEncoder()
    with parallel_encoders(fake) as several:
        assert list(several) == [fake]


def test_every_core_is_a_lane_and_gives_the_same_vectors(encoder, monkeypatch):
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        batches = [pixels(seed) for seed in range(4)]
        alone = [encoder.encode_images(batch) for batch in batches]
        with parallel_encoders(encoder) as several, ThreadPoolExecutor(2) as pool:
            assert len(several) == 2
            assert torch.get_num_threads() == 1
            together = list(pool.map(encoder.encode_images, batches))
        assert torch.get_num_threads() == 2, "as it was before"
    finally:
        torch.set_num_threads(before)
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def test_folding_changes_nothing_but_the_time():
    network = load_network().eval()
    fused = fold_batch_norms(copy.deepcopy(network))
    assert not [m for m in fused.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    batch = torch.rand(2, 3, 224, 224) * 2 - 1
    with torch.inference_mode():
        np.testing.assert_allclose(fused(batch), network(batch), atol=2e-4)


def test_half_precision_keeps_its_start_and_the_vectors_direction(encoder):
    half = load_encoder("embedded", device="cpu", precision="bf16", backend="torch")
    kinds = {name: p.dtype for name, p in half._network.named_parameters()}
    assert {t for name, t in kinds.items() if name.startswith(("conv_stem", "blocks.0."))} == {
        torch.float32
    }
    assert {t for name, t in kinds.items() if name.startswith("blocks.1.")} == {torch.bfloat16}
    from PIL import Image
    from sklearn.datasets import load_sample_image

    from fishembed.images import crop_pixels

    geometry = encoder.spec.preprocessing.geometry()
    photos = [Image.fromarray(load_sample_image(name)) for name in ("china.jpg", "flower.jpg")]
    batch = np.stack([crop_pixels(photo, **geometry) for photo in photos])
    a, b = encoder.encode_images(batch), half.encode_images(batch)
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    assert cosine.min() > 0.998


def test_decoding_is_part_of_what_an_encoder_is(encoder):
    fast = load_encoder("embedded", device="cpu", decoding="auto")
    assert (encoder.spec.decoding, fast.spec.decoding) == ("exact", "fast")
    assert fast.spec.fingerprint != encoder.spec.fingerprint


class TestPlayedCuda:
    """No GPU is needed for what is decided on the host."""

    def test_cuda_without_a_number_means_every_gpu(self, monkeypatch):
        monkeypatch.setattr("torch.cuda.device_count", lambda: 3)
        assert [str(d) for d in other_devices(torch.device("cuda"))] == ["cuda:1", "cuda:2"]
        assert other_devices(torch.device("cuda:1")) == []

    def test_each_gpu_has_two_lanes_with_weights_of_its_own(self, encoder, monkeypatch):
        played = copy.copy(encoder)
        played._device = torch.device("cuda")
        monkeypatch.setattr(
            torch_encoder_module, "other_devices", lambda device: [torch.device("cpu")] * 2
        )
        with parallel_encoders(played) as several:
            assert len(several) == 6
            towers = {id(tower): tower for tower in several}.values()
        assert len(towers) == 3
        own = {next(tower._network.parameters()).data_ptr() for tower in towers}
        assert len(own) == 3
        for tower in list(towers)[1:]:
            np.testing.assert_allclose(
                tower.encode_images(pixels(0)), encoder.encode_images(pixels(0)), atol=1e-4
            )

    def test_pixels_go_over_pinned_and_without_waiting(self):
        calls = []

        class Pixels:
            def __init__(self, *, locked=False):
                self.locked = locked
                self.is_cuda = False

            def is_pinned(self):
                return self.locked

            def pin_memory(self):
                calls.append("pinned")
                return self

            def to(self, device, non_blocking=False):
                calls.append((str(device), non_blocking))
                return self

        to_device(Pixels(), torch.device("cuda:1"))
        to_device(Pixels(), torch.device("cpu"))
        to_device(Pixels(locked=True), torch.device("cuda:1"))
        assert calls == ["pinned", ("cuda:1", True), ("cpu", False), ("cuda:1", True)]

    def test_each_thread_has_one_stream_a_device(self, monkeypatch):
        made = []

        def stream(device):
            made.append(str(device))
            return object()

        monkeypatch.setattr("torch.cuda.Stream", stream)
        monkeypatch.setattr("torch.cuda.stream", lambda stream: stream)
        device = torch.device("cuda:0")
        with ThreadPoolExecutor(1) as pool:
            mine = [pool.submit(own_stream, device).result() for _ in range(3)]
        assert len({id(stream) for stream in mine}) == 1
        assert own_stream(device) is not mine[0]
        assert made == ["cuda:0", "cuda:0"]
