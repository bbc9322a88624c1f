from __future__ import annotations

import json
from dataclasses import replace

import pytest

from fishembed.encoders import EncoderSpec, Preprocessing
from fishembed.errors import EncoderError

SPEC = EncoderSpec(
    name="ViT-B-32/x",
    library="open_clip",
    architecture="ViT-B-32",
    weights="ab" * 32,
    dim=512,
    preprocessing=Preprocessing(224, 224, (0.1, 0.2, 0.3), (0.4, 0.5, 0.6)),
    versions={"pillow": "11"},
)


def test_survives_json():
    assert EncoderSpec.from_json(json.loads(json.dumps(SPEC.to_json()))) == SPEC


def test_the_record_of_a_store_or_run_has_more_than_the_spec():
    beside = {"fingerprint": SPEC.fingerprint, "weights_file": "a.pt", "has_text": True}
    assert EncoderSpec.of_record({**SPEC.to_json(), **beside}) == SPEC
    with pytest.raises(EncoderError):
        EncoderSpec.of_record({**SPEC.to_json(), **beside, "colour": 1})


def test_the_name_does_not_matter_but_everything_else_does():
    assert replace(SPEC, name="ViT-B-32@moved.pt").fingerprint == SPEC.fingerprint
    others = [
        replace(SPEC, weights="cd" * 32),
        replace(SPEC, precision="bf16"),
        replace(SPEC, decoding="fast"),
        replace(SPEC, quickgelu=True),
        replace(SPEC, backend="openvino"),
        replace(SPEC, versions={"pillow": "12"}),
        replace(SPEC, preprocessing=replace(SPEC.preprocessing, interpolation="bilinear")),
    ]
    assert len({spec.fingerprint for spec in [SPEC, *others]}) == len(others) + 1


def test_fingerprints_from_before_there_were_backends_stay():
    assert "backend" not in SPEC.to_json()
    assert SPEC.fingerprint == "598ae439b560dfef"
    other = replace(SPEC, backend="openvino")
    assert EncoderSpec.from_json(json.loads(json.dumps(other.to_json()))) == other


def test_what_is_no_spec():
    with pytest.raises(EncoderError, match="no description"):
        EncoderSpec.from_json({"name": "x"})
    with pytest.raises(EncoderError, match="no description"):
        EncoderSpec.from_json({**SPEC.to_json(), "colour": 1})
