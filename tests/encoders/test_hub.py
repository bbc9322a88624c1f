from __future__ import annotations

from fishembed.encoders import hub, list_encoders


def test_lists_what_can_be_loaded():
    known = {one.name: one for one in list_encoders()}
    assert known["embedded"].here
    assert known["ViT-B-32-quickgelu/openai"].text
    assert "ViT-B-32/openai" not in known
    assert not known["timm:resnet18.a1_in1k"].text


def test_says_what_is_on_this_machine(monkeypatch):
    monkeypatch.setattr(hub, "_repos_here", lambda: {"timm/resnet18.a1_in1k"})
    monkeypatch.setattr(hub, "is_cached", lambda repo, filename=None: True)
    here = {one.name for one in list_encoders() if one.here}
    assert here == {"embedded", "timm:resnet18.a1_in1k"}


def test_cache_is_asked_for_safe_twins_too(monkeypatch):
    asked = []
    monkeypatch.setattr(
        "huggingface_hub.try_to_load_from_cache", lambda repo, name, **_: asked.append(name)
    )
    assert not hub.is_cached("org/model", "open_clip_pytorch_model.bin")
    assert asked == [
        "open_clip_pytorch_model.safetensors",
        "open_clip_model.safetensors",
        "open_clip_pytorch_model.bin",
    ]
