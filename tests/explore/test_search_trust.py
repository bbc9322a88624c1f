"""A store from elsewhere does not choose what is loaded from the hub."""

from __future__ import annotations

import pytest

from fishembed.errors import EncoderError
from fishembed.explore import search


class StoreFromElsewhere:
    encoder_name = "hf-hub:stranger/model"
    encoder_fingerprint = "0" * 16

    def __init__(self, path):
        self.path = path
        self.encoder = {"name": self.encoder_name, "library": "open_clip", "fingerprint": "0" * 16}


@pytest.fixture
def asked(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cache").mkdir()
    names = []

    def load(name, **_):
        names.append(name)
        raise EncoderError("no network here")

    monkeypatch.setattr(search, "load_encoder", load)
    return names


def test_a_strangers_hub_model_is_not_loaded(asked, tmp_path):
    with pytest.raises(EncoderError, match="--trust-encoder"):
        search.store_encoder(StoreFromElsewhere(tmp_path / "stranger.h5"), "cpu")
    assert asked == []


def test_it_is_loaded_where_it_is_trusted(asked, tmp_path):
    elsewhere = StoreFromElsewhere(tmp_path / "stranger.h5")
    own = StoreFromElsewhere(tmp_path / "cache" / "own.h5")
    for store, trust in ((elsewhere, True), (own, False)):
        with pytest.raises(EncoderError, match="no network here"):
            search.store_encoder(store, "cpu", trust=trust)
    assert asked == ["hf-hub:stranger/model"] * 2
