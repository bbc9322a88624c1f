from __future__ import annotations

import pytest

from fishembed.encoders import choose_device, choose_precision, describe_device
from fishembed.encoders import device as device_module
from fishembed.encoders.device import choose_decoding
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


class TestDecoding:
    def test_a_cpu_decodes_fast(self):
        assert choose_decoding("cpu") == "fast"

    @pytest.mark.parametrize(
        ("capability", "works", "chosen"),
        [((9, 0), True, "device"), ((9, 0), False, "fast"), ((8, 9), True, "fast")],
    )
    def test_a_gpu_with_a_jpeg_decoder_uses_it(self, monkeypatch, capability, works, chosen):
        monkeypatch.setattr("torch.cuda.get_device_capability", lambda _: capability)
        monkeypatch.setattr("fishembed.encoders.device._decodes_jpegs", lambda _: works)
        assert choose_decoding("cuda") == chosen

    def test_what_torchcodec_can_is_tried(self):
        assert device_module._decodes_jpegs("cpu")
        assert not device_module._decodes_jpegs("meta")
