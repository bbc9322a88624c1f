from __future__ import annotations

import json


def test_encoders(run):
    code, out, _ = run("encoders")
    assert code == 0
    assert "embedded" in out
    document = json.loads(run("encoders", "ViT-B-32-quickgelu/open", "--json")[1])
    assert document["encoders"][0]["name"] == "ViT-B-32-quickgelu/openai"
