from __future__ import annotations

import json

from fishembed.encoders import PRESETS


def test_encoders(run):
    code, out, _ = run("encoders")
    assert code == 0
    assert "embedded" in out
    document = json.loads(run("encoders", "ViT-B-32-quickgelu/open", "--json")[1])
    assert document["encoders"][0]["name"] == "ViT-B-32-quickgelu/openai"


def test_the_verb_lists_presets_first(run):
    code, out, _ = run("encoders")
    assert code == 0
    places = [out.index(f"  {name} ") for name in PRESETS]
    assert places == sorted(places)
    assert max(places) < out.index("On this machine")
    assert "Apache-2.0" in out
    assert "BioBench" in out
    document = json.loads(run("encoders", "PE-Core", "--json")[1])
    assert [preset["name"] for preset in document["presets"]] == list(PRESETS)
    assert document["presets"][1]["probes"]["iNat21"] == 0.774
    assert {one["name"] for one in document["encoders"]} >= {"PE-Core-B-16/meta"}
