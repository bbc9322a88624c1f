from __future__ import annotations

import pytest

from fishembed.encoders import PRESETS, full_name, parse_name
from fishembed.errors import UnknownEncoderError, WeightsError


@pytest.mark.parametrize(
    ("text", "kind", "architecture", "pretrained", "file"),
    [
        ("embedded", "embedded", "embedded", None, None),
        ("timm:vit_small_patch16_224.dino", "timm", "vit_small_patch16_224.dino", None, None),
        ("hf-hub:imageomics/bioclip", "openclip", "hf-hub:imageomics/bioclip", None, None),
        ("ViT-B-32-quickgelu/openai", "openclip", "ViT-B-32-quickgelu", "openai", None),
        ("ViT-B-32@w/x@1.pt", "openclip", "ViT-B-32", None, "w/x@1.pt"),
    ],
)
def test_every_form(text, kind, architecture, pretrained, file):
    name = parse_name(text)
    assert (name.kind, name.architecture) == (kind, architecture)
    assert (name.pretrained, name.file) == (pretrained, file)


@pytest.mark.parametrize(
    "text", ["", "ViT-B-32", "timm:", "hf-hub:x", "/openai", "ViT-B-32/", "@f", "what:ever/x"]
)
def test_anything_else_is_told_the_forms(text):
    with pytest.raises(UnknownEncoderError, match=r"ARCH/PRETRAINED"):
        parse_name(text)


@pytest.mark.parametrize(("text", "near"), [("embeded", "embedded"), ("biolgy", "biology")])
def test_a_misspelt_name_is_told_the_near_one(text, near):
    with pytest.raises(UnknownEncoderError, match=rf"no encoder: did you mean '{near}'\? write"):
        parse_name(text)


def test_state_of_the_weights_file(tmp_path):
    file = tmp_path / "w.pt"
    file.write_bytes(b"123")
    state = parse_name(f"ViT-B-32@{file}").file_state
    assert state == {"size": 3, "mtime_ns": file.stat().st_mtime_ns}
    assert parse_name("embedded").file_state is None
    with pytest.raises(WeightsError, match="no weights file"):
        _ = parse_name("ViT-B-32@nowhere.pt").file_state


def test_presets_are_the_four_of_the_command_line():
    assert list(PRESETS) == ["biology", "general", "fast", "paper"]
    assert full_name("ViT-B-32/openai") == "ViT-B-32/openai"


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_the_encoder_that_it_stands_for(name):
    import open_clip

    parsed = parse_name(name)
    assert parsed == parse_name(PRESETS[name].encoder)
    assert parsed.text == PRESETS[name].encoder  # stores and runs hold the full name
    if not parsed.is_hub:
        assert parsed.pretrained in open_clip.list_pretrained_tags_by_model(parsed.architecture)
        config = open_clip.get_model_config(parsed.architecture)
        assert config["embed_dim"] == PRESETS[name].dim
    else:
        assert len(parsed.revision) == 40
