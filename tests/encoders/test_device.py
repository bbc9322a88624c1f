from __future__ import annotations

import pytest

from fishembed.encoders import choose_device, choose_precision, describe_device
from fishembed.errors import DeviceError


@pytest.fixture
def machine(monkeypatch):
    """Pretend to be a machine with or without accelerators."""

    def pretend(*, cuda: int = 0, mps: bool = False) -> None:
        monkeypatch.setattr("torch.cuda.is_available", lambda: cuda > 0)
        monkeypatch.setattr("torch.cuda.device_count", lambda: cuda)
        monkeypatch.setattr("torch.backends.mps.is_available", lambda: mps)

    return pretend


def test_auto_takes_cuda_then_mps_then_the_cpu(machine):
    machine(cuda=1, mps=True)
    assert choose_device("auto") == "cuda"
    machine(mps=True)
    assert choose_device("auto") == "mps"
    machine()
    assert choose_device("auto") == "cpu"


def test_devices_that_are_not_there(machine):
    machine()
    for name in ("cuda", "cuda:0", "mps"):
        with pytest.raises(DeviceError, match="--device"):
            choose_device(name)
    with pytest.raises(DeviceError, match="unknown device 'gpu'"):
        choose_device("gpu")
    machine(cuda=2)
    assert choose_device("cuda:1") == "cuda:1"
    with pytest.raises(DeviceError, match=r"2 CUDA device"):
        choose_device("cuda:2")


@pytest.mark.parametrize(
    ("device", "flags", "capability", "expected"),
    [
        ("cpu", "avx512f avx512_bf16", None, "bf16"),
        ("cpu", "amx_bf16 amx_tile", None, "bf16"),
        ("cpu", "avx2 avx512f", None, "fp32"),
        ("cuda", "", (8, 0), "bf16"),
        ("cuda:1", "", (7, 5), "fp16"),
        ("mps", "avx512_bf16", None, "fp32"),
    ],
)
def test_auto_precision_is_what_the_hardware_has(monkeypatch, device, flags, capability, expected):
    monkeypatch.setattr("pathlib.Path.read_text", lambda *_, **__: f"flags : fpu {flags}\n")
    monkeypatch.setattr("torch.cuda.get_device_capability", lambda device: capability)
    assert choose_precision(device) == expected


def test_where_the_kernel_does_not_tell_precision_is_full(monkeypatch):
    def missing(*_, **__):
        raise FileNotFoundError("/proc/cpuinfo")

    monkeypatch.setattr("pathlib.Path.read_text", missing)
    assert choose_precision("cpu") == "fp32"


def test_the_console_says_which():
    assert describe_device("cpu").startswith("cpu (")


@pytest.mark.cuda
def test_cuda_gives_the_cpus_vectors():
    import numpy as np
    import torch

    from fishembed.encoders import load_encoder

    if not torch.cuda.is_available():
        pytest.skip("no CUDA device on this machine")
    batch = np.random.default_rng(0).integers(0, 256, (4, 224, 224, 3), dtype=np.uint8)
    there = load_encoder("embedded", device="cuda").encode_images(batch)
    here = load_encoder("embedded", device="cpu").encode_images(batch)
    cosine = (there * here).sum(1) / np.linalg.norm(there, axis=1) / np.linalg.norm(here, axis=1)
    assert cosine.min() > 0.9999
