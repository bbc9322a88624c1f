from __future__ import annotations

import builtins

import pytest

from fishembed.encoders import (
    choose_device,
    choose_precision,
    describe_device,
    load_encoder,
    recorded_backend,
)
from fishembed.encoders import device as device_module
from fishembed.encoders.device import choose_backend, choose_decoding
from fishembed.errors import DeviceError, EncoderError, MissingExtraError


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


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(device_module, "has_openvino", lambda: True)
    monkeypatch.setattr(device_module, "choose_precision", lambda _: "bf16")
    monkeypatch.setattr("platform.machine", lambda: "AMD64")


@pytest.mark.usefixtures("installed")
@pytest.mark.parametrize(
    ("kind", "device", "precision", "chosen"),
    [
        ("embedded", "cpu", "fp32", "openvino"),
        ("embedded", "cpu", "bf16", "openvino"),
        ("embedded", "cpu", "fp16", "torch"),
        ("embedded", "cuda", "bf16", "torch"),
        ("embedded", "mps", "fp32", "torch"),
        ("timm", "cpu", "fp32", "torch"),
        ("openclip", "cpu", "bf16", "torch"),
    ],
)
def test_auto_is_openvino_where_it_was_measured_to_pay(kind, device, precision, chosen):
    assert choose_backend(kind, device, precision) == chosen
    assert choose_backend(kind, device, precision, "torch") == "torch"


@pytest.mark.usefixtures("installed")
def test_openvino_that_is_wanted_where_it_is_not_used():
    with pytest.raises(EncoderError, match="only the encoder 'embedded'"):
        choose_backend("timm", "cpu", "fp32", "openvino")
    with pytest.raises(DeviceError, match="need a CPU, not 'cuda': --device cpu"):
        choose_backend("embedded", "cuda", "bf16", "openvino")


@pytest.mark.usefixtures("installed")
def test_a_processor_without_bf16_or_of_another_family(monkeypatch):
    monkeypatch.setattr(device_module, "choose_precision", lambda _: "fp32")
    assert choose_backend("embedded", "cpu", "bf16") == "torch"
    with pytest.raises(DeviceError, match="no bf16 on this processor: --precision fp32"):
        choose_backend("embedded", "cpu", "bf16", "openvino")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert choose_backend("embedded", "cpu", "fp32") == "torch"
    with pytest.raises(DeviceError, match="only on x86-64"):
        choose_backend("embedded", "cpu", "fp32", "openvino")


@pytest.mark.usefixtures("installed")
def test_without_the_package_torch_computes_or_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(device_module, "has_openvino", lambda: False)
    assert choose_backend("embedded", "cpu", "fp32") == "torch"
    with pytest.raises(MissingExtraError, match=r"pip install 'fishembed\[openvino\]'"):
        choose_backend("embedded", "cpu", "fp32", "openvino")
    assert load_encoder("embedded", device="cpu").device.endswith(", torch)")


@pytest.mark.parametrize("error", [ImportError, OSError])
def test_an_installation_that_does_not_load_counts_as_none(monkeypatch, error):
    real = builtins.__import__

    def refuse(name, *args, **kwargs):
        if name == "openvino":
            raise error("libopenvino.so: cannot open shared object file")
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", refuse)
    assert not device_module.has_openvino.__wrapped__()


def test_what_a_store_says_of_its_backend():
    assert recorded_backend({"precision": "bf16"}) == "torch"
    assert recorded_backend({"precision": "fp32"}) == "auto"
    assert recorded_backend({}) == "auto"
    assert recorded_backend({"precision": "bf16", "backend": "openvino"}) == "openvino"
