from __future__ import annotations

import builtins

import pytest

from fishembed.encoders import backend, load_encoder, recorded_backend
from fishembed.encoders.backend import choose_backend
from fishembed.errors import DeviceError, EncoderError, MissingExtraError


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(backend, "is_installed", lambda: True)
    monkeypatch.setattr(backend, "choose_precision", lambda _: "bf16")
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
    monkeypatch.setattr(backend, "choose_precision", lambda _: "fp32")
    assert choose_backend("embedded", "cpu", "bf16") == "torch"
    with pytest.raises(DeviceError, match="no bf16 on this processor: --precision fp32"):
        choose_backend("embedded", "cpu", "bf16", "openvino")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert choose_backend("embedded", "cpu", "fp32") == "torch"
    with pytest.raises(DeviceError, match="only on x86-64"):
        choose_backend("embedded", "cpu", "fp32", "openvino")


@pytest.mark.usefixtures("installed")
def test_without_the_package_torch_computes_or_the_way_out_is_named(monkeypatch):
    monkeypatch.setattr(backend, "is_installed", lambda: False)
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
    assert not backend.is_installed.__wrapped__()


def test_what_a_store_says_of_its_backend():
    assert recorded_backend({"precision": "bf16"}) == "torch"
    assert recorded_backend({"precision": "fp32"}) == "auto"
    assert recorded_backend({}) == "auto"
    assert recorded_backend({"precision": "bf16", "backend": "openvino"}) == "openvino"
