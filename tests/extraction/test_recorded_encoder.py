"""Encoders that a stranger's run names."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder

from fishembed import import_features, predict_run, run_fit
from fishembed.cache import StoreHeader, open_store, write_store
from fishembed.errors import EncoderError, StoreMismatchError
from fishembed.extraction import encoder_loader, recorded_encoder
from fishembed.extraction.recorded_encoder import UntrustedEncoderError, load_recorded_encoder

HUB = "hf-hub:evil/clip"
DOCUMENT = {
    "name": HUB,
    "library": "open_clip",
    "fingerprint": "f" * 16,
    "revision": "evil",
}


@pytest.fixture
def loaded(workspace, monkeypatch):
    """Names and revisions of the encoders that are loaded, which are none."""
    names: list[tuple[str, str]] = []

    def load(name: str, *, revision: str = "", **_: object) -> FakeEncoder:
        names.append((name, revision))
        return FakeEncoder(name=name)

    monkeypatch.setattr(recorded_encoder, "load_encoder", load)
    monkeypatch.setattr("fishembed.experiments.predicting.input_features.load_encoder", load)
    return names


def _store(path: Path, encoder: dict[str, object]) -> Path:
    """Write a store that says that an encoder made it."""
    arrays = {"features": np.eye(6, dtype=np.float32), "labels": ["cod", "eel"] * 3}
    import_features(arrays, path)
    with open_store(path) as store:
        head, rows, features = store.header, store.rows, store.features[:]
    write_store(
        path, StoreHeader({**head.encoder, **encoder}, head.source, head.classes), rows, features
    )
    return path


def test_a_stranger_s_encoder_is_not_loaded_without_trust(loaded):
    for name in (HUB, "timm:hf-hub:evil/x", "ViT-B-32@/etc/weights.pt"):
        with pytest.raises(UntrustedEncoderError, match="--trust-encoder"):
            load_recorded_encoder(DOCUMENT | {"name": name})
    assert not loaded
    load_recorded_encoder(DOCUMENT, trust=True)
    assert loaded == [(HUB, "evil")]


def test_names_of_the_library_need_no_trust(loaded):
    for name in ("embedded", "ViT-B-32/openai", "timm:resnet18.a1_in1k"):
        load_recorded_encoder(DOCUMENT | {"name": name})
    assert len(loaded) == 3


def test_a_store_of_one_s_own_vouches_for_the_same_encoder_and_gives_its_revision(
    loaded, workspace
):
    (workspace / "cache").mkdir(exist_ok=True)
    own = _store(workspace / "cache" / "own.h5", DOCUMENT | {"revision": "mine"})
    load_recorded_encoder(DOCUMENT)
    assert loaded == [(HUB, "mine")]
    for other in (DOCUMENT | {"fingerprint": "0" * 16}, DOCUMENT | {"name": "hf-hub:evil/other"}):
        with pytest.raises(UntrustedEncoderError):
            load_recorded_encoder(other)
    with pytest.raises(UntrustedEncoderError):
        load_recorded_encoder(DOCUMENT, beside=own)


def test_another_run_vouches_and_a_run_not_for_itself(loaded, workspace):
    strange = workspace / "reports" / "strange"
    for name in ("strange", "own"):
        folder = workspace / "reports" / name
        folder.mkdir(parents=True)
        (folder / "run.json").write_text(json.dumps({"encoder": DOCUMENT | {"revision": name}}))
    load_recorded_encoder(DOCUMENT, beside=strange)
    assert loaded == [(HUB, "own")]
    (workspace / "reports" / "own" / "run.json").write_text("[" * 100_000)
    with pytest.raises(UntrustedEncoderError):
        load_recorded_encoder(DOCUMENT, beside=strange)


def test_a_run_does_not_vouch_for_the_store_that_it_is_of(loaded, workspace):
    store = _store(workspace / "strange.h5", DOCUMENT)
    runs = [run_fit(store, head="centroid", run=name) for name in ("one", "two")]
    for beside in (store, runs[0].folder):
        with pytest.raises(UntrustedEncoderError):
            load_recorded_encoder(DOCUMENT, beside=beside)
    run_fit(_store(workspace / "own.h5", DOCUMENT | {"x": 1}), head="centroid", run="three")
    load_recorded_encoder(DOCUMENT, beside=store)
    assert len(loaded) == 1


def test_a_store_is_continued_by_the_revision_that_an_own_store_names(
    loaded, workspace, monkeypatch
):
    spec = FakeEncoder(name=HUB).spec
    known = {**spec.to_json(), "fingerprint": spec.fingerprint, "weights_file": None}
    (workspace / "cache").mkdir(exist_ok=True)
    _store(workspace / "cache/own.h5", known | {"revision": "own"})
    strange = _store(workspace / "strange.h5", known | {"revision": "evil"})
    monkeypatch.setattr(encoder_loader, "load_encoder", recorded_encoder.load_encoder)
    with open_store(strange) as store:
        encoder_loader.EncoderLoader(None, store).load()
    assert loaded == [(HUB, "own")]


def test_predict_asks_before_it_loads(loaded, workspace):
    store = _store(workspace / "fish.h5", DOCUMENT)  # not in the cache folder
    run = run_fit(store, head="centroid")
    (workspace / "a.png").write_bytes(b"")
    with pytest.raises(EncoderError, match="--trust-encoder"):
        predict_run(run, [workspace / "a.png"])
    assert not loaded
    with pytest.raises(StoreMismatchError, match="is not what it was"):
        predict_run(run, [workspace / "a.png"], trust_encoder=True)
    assert loaded == [(HUB, "evil")]
