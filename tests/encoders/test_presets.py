from __future__ import annotations

import pytest

from fishembed.encoders import PRESETS, full_name, parse_name


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
