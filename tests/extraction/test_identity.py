"""Vectors of two encoders never mix, and words follow their prompts."""

from __future__ import annotations

import shutil

import h5py
import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_pictures import contents, draw

from fishembed.cache import FeatureStore
from fishembed.encoders import Preprocessing, text_fingerprint
from fishembed.errors import InputError, StoreMismatchError
from fishembed.extraction import encoder_loader, extract

HALF = (0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"weights": "1" * 64}, "weights"),
        ({"architecture": "other"}, "architecture"),
        ({"quickgelu": True}, "QuickGELU"),
        ({"precision": "fp16"}, "precision"),
        ({"decoding": "fast"}, "decoding mode"),
        ({"versions": {"torch": "3"}}, "library versions"),
        ({"preprocessing": Preprocessing(resize=9, crop=8, mean=HALF, std=HALF)}, "preprocessing"),
        ({"dim": 9}, "dim"),
        ({"weights": "1" * 64, "quickgelu": True}, "weights, QuickGELU"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_another_encoder_is_refused_with_what_differs(again, store, change, said):
    before = store.read_bytes()
    with pytest.raises(StoreMismatchError, match=rf"differs in {said}\. .* give --store .*-fake"):
        again(encoder=FakeEncoder(**change))
    assert store.read_bytes() == before


def test_the_name_alone_is_no_identity(again):
    assert not again(encoder=FakeEncoder(name="called/otherwise")).encoded


def test_a_name_that_hides_another_network_is_found_when_it_encodes(photos, store, monkeypatch):
    extract(photos, store, encoder=FakeEncoder(name="embedded"))
    other = FakeEncoder(name="embedded", weights="9" * 64)
    monkeypatch.setattr(encoder_loader, "load_encoder", lambda *_, **__: other)
    assert not extract(photos, store, encoder="embedded").encoded, "nothing to encode with it"
    draw(photos / "train/bass/new.png", 99)
    with pytest.raises(StoreMismatchError, match="differs in weights"):
        extract(photos, store, encoder="embedded")


def test_another_precision_is_noticed_by_name(photos, store, monkeypatch):
    extract(photos, store, encoder=FakeEncoder(name="embedded"))
    half = FakeEncoder(name="embedded", precision="fp16")
    monkeypatch.setattr(encoder_loader, "load_encoder", lambda *_, **__: half)
    with pytest.raises(StoreMismatchError, match="precision"):
        extract(photos, store, encoder="embedded", precision="fp16")


def test_auto_goes_on_with_the_stores_precision_and_decoding(photos, store, monkeypatch):
    asked = []

    def load(name, **how):
        asked.append((how["precision"], how["decoding"]))
        precision = {"auto": "fp32"}.get(how["precision"], how["precision"])
        decoding = {"auto": "exact"}.get(how["decoding"], how["decoding"])
        return FakeEncoder(name=name, precision=precision, decoding=decoding)

    monkeypatch.setattr(encoder_loader, "load_encoder", load)
    extract(photos, store, encoder="embedded", precision="bf16", decoding="fast")
    asked.clear()
    assert not extract(photos, store, encoder="embedded").encoded
    assert asked == [], "nothing to encode, nothing loaded"
    draw(photos / "train/bass/new.png", 99)
    assert extract(photos, store, encoder="embedded").encoded == 1
    assert asked == [("bf16", "fast")], "not what auto would choose today"
    with pytest.raises(StoreMismatchError, match=r"decoding mode, precision\."):
        extract(photos, store, encoder="embedded", precision="fp32", decoding="exact")
    extract(photos, store.with_name("new.h5"), encoder="embedded")
    assert asked[-1] == ("auto", "auto"), "a new store has what is best"


@pytest.mark.parametrize(
    ("made_by", "continued_with"),
    [
        ({"precision": "bf16"}, "torch"),
        ({"precision": "bf16", "backend": "openvino"}, "openvino"),
        ({"precision": "fp32"}, "auto"),
    ],
)
def test_a_store_goes_on_with_its_backend(photos, store, monkeypatch, made_by, continued_with):
    asked = []

    def load(name, **how):
        asked.append(how["backend"])
        return FakeEncoder(name=name, **made_by)

    monkeypatch.setattr(encoder_loader, "load_encoder", load)
    extract(photos, store, encoder="embedded")
    draw(photos / "train/bass/new.png", 99)
    assert extract(photos, store, encoder="embedded").encoded == 1
    assert asked == ["auto", continued_with]


def test_features_of_two_backends_do_not_mix(photos, store):
    extract(photos, store, encoder=FakeEncoder(precision="bf16"))
    other = FakeEncoder(precision="bf16", backend="openvino")
    with pytest.raises(StoreMismatchError, match="differs in backend"):
        extract(photos, store, encoder=other)


def test_prompts_come_later_without_encoding_pictures(again, store, encoder, workspace):
    (workspace / "mine.txt").write_text("a {} under water\na {} on deck\n")
    done = again(prompts=["single", str(workspace / "mine.txt")])
    assert (done.encoded, encoder.seen, encoder.texts_seen) == (0, 0, 4)
    assert set(done.text_keys) == {"single", "mine"}
    with FeatureStore.open(store) as made:
        vectors = encoder.encode_texts(["a bass under water", "a bass on deck"])
        unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        np.testing.assert_allclose(made.text("mine").features[0], unit.mean(axis=0), rtol=1e-5)
        assert made.text("mine").logit_scale == 100.0
    encoder.texts_seen = 0
    assert set(again().text_keys) == {"single", "mine"}, "what was there stays"
    assert encoder.texts_seen == 0


class TestTower:
    """The words of `embedded` have weights of their own."""

    @pytest.fixture
    def named(self, photos, store, monkeypatch):
        """Extract by name with a fake in the place of `embedded`, and give what does so again."""
        encoder = FakeEncoder(name="embedded")
        loads = []
        load = lambda *_, **__: loads.append(1) or encoder  # noqa: E731
        monkeypatch.setattr(encoder_loader, "load_encoder", load)

        def run(tower: str):
            monkeypatch.setattr(encoder_loader, "text_fingerprint", lambda _name: tower)
            encoder.seen = encoder.texts_seen = 0
            loads.clear()
            return extract(photos, store, encoder="embedded"), encoder, len(loads)

        return run

    def test_new_weights_make_the_text_vectors_again_and_nothing_else(self, named, store):
        named("one")
        done, encoder, _ = named("two")
        assert (done.wrote, encoder.seen, encoder.texts_seen) == (True, 0, 2)
        with FeatureStore.open(store) as made:
            assert made.text("single").tower == "two"

    def test_the_same_weights_load_nothing(self, named):
        named("one")
        done, _, loads = named("one")
        assert (done.wrote, loads) == (False, 0)

    def test_a_store_that_does_not_know_its_tower_gets_it_once(self, named, store):
        named("one")
        with h5py.File(store, "r+") as file:
            del file["text/single"].attrs["tower"]
        assert named("one")[0].wrote
        assert not named("one")[0].wrote


def test_the_towers_identity_is_known_without_loading_it():
    from fishembed.encoders.embedded.text_tower import TextTower

    assert text_fingerprint("embedded") == TextTower.load().fingerprint
    assert text_fingerprint("ViT-B-32-quickgelu/openai") == "", "its fingerprint covers both"


def test_aliases_change_the_words_and_nothing_else(again, store, encoder, workspace):
    table = workspace / "names.csv"
    table.write_text("class,name\nbass,European sea bass\n")
    again(aliases=table)
    assert encoder.seen == 0
    with FeatureStore.open(store) as made:
        assert made.text("single").names == ("European sea bass", "carp b")
        assert made.classes == ["bass", "carp_b"]
    assert not again(aliases=table).wrote


def test_a_new_class_gets_words(again, photos, store):
    draw(photos / "train/abel/1.png", 1000)
    again()
    with FeatureStore.open(store) as made:
        assert made.text("single").names == ("abel", "bass", "carp b")
        assert made.text("single").features.shape == (3, 8)


def test_an_encoder_without_words_makes_a_store_without(photos, store):
    done = extract(photos, store, encoder=FakeEncoder(words=False))
    assert done.text_keys == ()


def test_no_labels_no_words(workspace, store, encoder):
    draw(workspace / "flat/a.png", 1)
    assert extract(workspace / "flat", store, encoder=encoder).text_keys == ()
    with FeatureStore.open(store) as made:
        assert made.labels.tolist() == [-1]
        assert made.classes == []


class TestTrunk:
    def test_both_come_from_one_pass(self, photos, store):
        encoder = FakeEncoder(width=20)
        extract(photos, store, encoder=encoder, trunk=True)
        assert encoder.seen == 12
        with FeatureStore.open(store) as made:
            assert made.trunk.shape == (12, 20)
            assert made.verify() == []
            projected = made.vectors([0, 5], "trunk") @ encoder._second
            np.testing.assert_allclose(projected, made.vectors([0, 5]), rtol=1e-5)
            assert made.split("test", "trunk")[0].shape == (4, 20)

    def test_the_image_vectors_are_the_same_as_without(self, photos, workspace):
        extract(photos, workspace / "a.h5", encoder=FakeEncoder(width=20))
        extract(photos, workspace / "b.h5", encoder=FakeEncoder(width=20), trunk=True)
        a, b = (FeatureStore.open(workspace / name) for name in ("a.h5", "b.h5"))
        np.testing.assert_array_equal(a.features, b.features)

    def test_adding_it_encodes_again_and_it_stays(self, photos, store):
        encoder = FakeEncoder(width=20)
        extract(photos, store, encoder=encoder)
        done = extract(photos, store, encoder=encoder, trunk=True)
        assert (done.encoded, done.new, done.changed, done.wrote) == (12, 0, 12, True)
        draw(photos / "train/bass/new.png", 77)
        assert extract(photos, store, encoder=encoder).encoded == 1
        with FeatureStore.open(store) as made:
            assert made.trunk.shape == (13, 20)
        assert not extract(photos, store, encoder=encoder, trunk=True).wrote

    def test_rows_without_a_picture_cannot_get_one(self, photos, store):
        encoder = FakeEncoder(width=20)
        extract(photos, store, encoder=encoder)
        shutil.rmtree(photos / "test")
        with pytest.raises(InputError, match="--prune"):
            extract(photos, store, encoder=encoder, trunk=True)
        assert extract(photos, store, encoder=encoder, trunk=True, prune=True).rows == 8

    def test_without_a_projection_nothing_is_stored_twice(self, photos, store, workspace):
        encoder = FakeEncoder()
        extract(photos, store, encoder=encoder)
        size = store.stat().st_size
        done = extract(photos, store, encoder=encoder, trunk=True)
        assert (done.encoded, done.wrote) == (0, True)
        with FeatureStore.open(store) as made:
            assert made.trunk_is_image
            np.testing.assert_array_equal(made.vectors([3], "trunk"), made.vectors([3]))
        assert store.stat().st_size < size + 1000
        assert not extract(photos, store, encoder=encoder, trunk=True).wrote
        before = contents(store)
        draw(photos / "train/bass/new.png", 77)
        assert extract(photos, store, encoder=encoder).encoded == 1
        with FeatureStore.open(store) as made:
            assert made.trunk_is_image
        assert set(before.by_path()) < set(contents(store).by_path())

    def test_a_store_without_says_how_to_get_it(self, again, store):
        with (
            FeatureStore.open(store) as made,
            pytest.raises(InputError, match=r"no trunk features.*--trunk"),
        ):
            made.vectors([0], "trunk")
