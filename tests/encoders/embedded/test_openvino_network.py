from __future__ import annotations

import subprocess
import sys
import threading

import numpy as np
import pytest
from PIL import Image

from fishembed.encoders import choose_precision, load_encoder
from fishembed.encoders.embedded.openvino_network import ROWS, OpenVINONetwork
from fishembed.images import crop_pixels

pytest.importorskip("openvino")

HAS_BF16 = choose_precision("cpu") == "bf16"
PRECISIONS = [
    "fp32",
    pytest.param("bf16", marks=pytest.mark.skipif(not HAS_BF16, reason="no bf16 here")),
]


def encoders(precision: str):
    return [
        load_encoder("embedded", device="cpu", precision=precision, backend=backend)
        for backend in ("torch", "openvino")
    ]


def photos() -> np.ndarray:
    from sklearn.datasets import load_sample_images

    def crops(image: Image.Image):
        for side in (30, 100, 640):
            small = image.resize((side, side))
            yield crop_pixels(small, resize=256, crop=224)

    return np.stack(
        [p for image in load_sample_images().images for p in crops(Image.fromarray(image))]
    )


def cosines(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)


def test_features_in_fp32_are_torchs():
    torch, openvino = encoders("fp32")
    expected, found = torch.encode_images(photos()), openvino.encode_images(photos())
    assert (found.shape, found.dtype) == ((6, 1280), np.float32)
    assert np.allclose(found, expected, atol=1e-4)
    assert openvino.spec.fingerprint == torch.spec.fingerprint


@pytest.mark.skipif(not HAS_BF16, reason="no bf16 here")
def test_features_in_bf16_are_near_the_exact_ones_and_have_a_fingerprint_of_their_own():
    exact, (torch, openvino) = encoders("fp32")[0], encoders("bf16")
    near = cosines(openvino.encode_images(photos()), exact.encode_images(photos()))
    assert near.mean() > 0.998
    assert near.min() > 0.98
    assert openvino.spec.fingerprint != torch.spec.fingerprint
    assert openvino.spec.backend == "openvino"


@pytest.mark.parametrize("precision", PRECISIONS)
def test_batches_change_no_bit(precision):
    _, encoder = encoders(precision)
    batch = np.random.default_rng(0).integers(0, 256, (2 * ROWS + 1, 224, 224, 3), np.uint8)
    together = encoder.encode_images(batch)
    for step in (1, ROWS - 1, ROWS, ROWS + 1):
        parts = [encoder.encode_images(batch[i : i + step]) for i in range(0, len(batch), step)]
        assert np.array_equal(np.concatenate(parts), together)


def test_many_images_in_one_call_use_all_threads():
    _, encoder = encoders("fp32")
    pixels = encoder.spec.preprocessing
    network = OpenVINONetwork(encoder._network, pixels, "fp32", threads=3)
    batch = np.random.default_rng(0).integers(0, 256, (35, 224, 224, 3), np.uint8)
    assert np.array_equal(network(batch)[30:], encoder.encode_images(batch[30:]))
    assert network(batch[:0]).shape == (0, 1280)


def test_threads_do_not_disturb_each_other():
    _, encoder = encoders("fp32")
    batch = np.random.default_rng(0).integers(0, 256, (4, 5, 224, 224, 3), np.uint8)
    found: dict[int, list[np.ndarray]] = {}

    def work(i: int) -> None:
        found[i] = [encoder.encode_images(batch[i]) for _ in range(3)]

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(batch))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for i, features in found.items():
        expected = encoder.encode_images(batch[i])
        assert all(np.array_equal(some, expected) for some in features)


def test_read_only_and_strided_pixels_are_fine():
    _, encoder = encoders("fp32")
    batch = np.random.default_rng(0).integers(0, 256, (2, 224, 448, 3), np.uint8)[:, :, ::2]
    batch.flags.writeable = False
    expected = encoder.encode_images(np.ascontiguousarray(batch))
    assert np.array_equal(encoder.encode_images(batch), expected)


def test_the_device_names_the_backend():
    torch, openvino = encoders("fp32")
    assert torch.device.startswith("cpu (")
    assert torch.device.endswith(", torch)")
    assert openvino.device.endswith(", OpenVINO)")


TWO_THREADS_MEET = """
import faulthandler, os, sys, threading
import numpy as np
from fishembed.encoders import load_encoder

faulthandler.dump_traceback_later(60, exit=True)  # threads that wait for each other stop Python too
encoder, together = load_encoder("embedded", device="cpu"), threading.Barrier(2)
sys.setswitchinterval(1e-7)

def encode():
    together.wait()
    encoder.encode_images(np.zeros((2, 224, 224, 3), np.uint8))

threads = [threading.Thread(target=encode) for _ in range(2)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""


@pytest.mark.slow
def test_two_threads_that_encode_first_do_not_wait_for_each_other():
    """Without the set-up by one thread about every second process stood still."""
    done = subprocess.run(
        [sys.executable, "-c", TWO_THREADS_MEET], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
