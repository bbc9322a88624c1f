"""The text tower that ships: its interface, its file, and that names find their pictures' side."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from fishembed.encoders.embedded.text_tower import (
    FILE,
    MAX_TOKENS,
    START,
    TextTower,
    WordPieces,
    letters,
    split_words,
)
from fishembed.errors import FishembedError, WeightsError

SHIPPED = resources.files("fishembed.encoders") / "weights" / FILE
MEGABYTE = 1_000_000


@pytest.fixture(scope="module")
def tower() -> TextTower:
    return TextTower.load()


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    """The image classifier's rows, centred and of unit length."""
    from fishembed.encoders.embedded.embedded_encoder import load_network

    weight = load_network().get_submodule("classifier").weight.detach().numpy()
    centred = weight - weight.mean(0)
    return centred / np.linalg.norm(centred, axis=1, keepdims=True)


@pytest.fixture(scope="module")
def names() -> list[str]:
    from open_clip.zero_shot_metadata import IMAGENET_CLASSNAMES

    return list(IMAGENET_CLASSNAMES)


def test_vectors_are_float32_of_unit_length(tower):
    vectors = tower.encode(["a tench", "A photo of a grand piano.", "zzyzx"])
    assert vectors.shape == (3, tower.dim) == (3, 1280)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_rows(tower):
    assert tower.encode([]).shape == (0, 1280)


def test_the_same_texts_give_the_same_bytes(tower):
    texts = ["a photo of a cat", "pipefish", "an old tractor on a field"]
    assert tower.encode(texts).tobytes() == TextTower.load().encode(texts).tobytes()


@pytest.mark.parametrize("batch_size", [1, 3, 1000])
def test_batch_size_and_order_do_not_matter(tower, names, batch_size):
    texts = [f"a photo of a {name}" for name in names[:40]] + ["cat", ""]
    expected = tower.encode(texts)
    np.testing.assert_allclose(tower.encode(texts, batch_size), expected, atol=2e-6)
    np.testing.assert_allclose(tower.encode(texts[::-1])[::-1], expected, atol=2e-6)


def test_logit_scale_is_the_classifiers_own(tower):
    assert 20 < tower.logit_scale < 60


def test_fingerprint_is_the_files_hash(tower):
    assert tower.fingerprint == hashlib.sha256(SHIPPED.read_bytes()).hexdigest()


def test_file_is_small():
    folder = resources.files("fishembed.encoders") / "weights"
    assert sum(len(entry.read_bytes()) for entry in folder.iterdir()) < 8 * MEGABYTE


@pytest.mark.parametrize(
    ("frame", "least"), [("{}", 0.97), ("a photo of a {}.", 0.97), ("a bad photo of the {}.", 0.97)]
)
def test_imagenet_names_find_their_own_row(tower, rows, names, frame, least):
    vectors = tower.encode([frame.replace("{}", name) for name in names])
    assert ((vectors @ rows.T).argmax(1) == np.arange(1000)).mean() >= least


@pytest.mark.parametrize(
    ("name", "fitting"),
    [
        ("motorbikes", {"moped", "vespa"}),
        ("aeroplane", {"airliner", "military aircraft"}),
        ("wild cat", {"lynx", "tabby cat", "tiger cat", "cougar", "Egyptian Mau", "leopard"}),
        ("grand_piano", {"grand piano"}),
        ("sail boat", {"sailboat", "schooner", "trimaran", "catamaran"}),
        ("cellphone", {"mobile phone"}),
        ("strawbery", {"strawberry"}),
    ],
)
def test_other_words_for_a_thing_find_it(tower, rows, names, name, fitting):
    nearest = np.argsort(-(rows @ tower.encode([f"a photo of a {name}"])[0]))[:3]
    assert {names[row] for row in nearest} & fitting


@pytest.mark.parametrize(
    "text", ["", "   ", "?!", "魚", "qwxzjk", "Pterapogon kauderni", "x" * 5000]
)
def test_unknown_words_do_not_break_it(tower, text):
    vector = tower.encode([text])
    assert np.isfinite(vector).all()
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)


def test_case_accents_underscores_and_punctuation_do_not_matter(tower):
    plain, dressed = tower.encode(["a grand piano", "A Gränd_Piano!"])
    np.testing.assert_allclose(plain, dressed, atol=2e-6)


@pytest.mark.parametrize("damage", ["empty", "short", "noise", "other"])
def test_broken_file_is_named(tmp_path: Path, damage: str):
    data = SHIPPED.read_bytes()
    path = tmp_path / "broken.safetensors"
    if damage == "other":
        import torch
        from safetensors.torch import save_file

        save_file({"weight": torch.zeros(2)}, path)
    else:
        path.write_bytes(
            {"empty": b"", "short": data[: len(data) // 2], "noise": b"no" * 99}[damage]
        )
    with pytest.raises(WeightsError, match=r"broken\.safetensors.*train_text_tower"):
        TextTower.load(path)


def test_missing_file_is_named(tmp_path: Path):
    with pytest.raises(FishembedError, match=r"nowhere\.safetensors"):
        TextTower.load(tmp_path / "nowhere.safetensors")


def test_importing_it_does_not_load_torch():
    code = "import sys, fishembed.encoders.embedded.text_tower; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_words_split_into_the_longest_pieces():
    pieces = WordPieces([START, *letters(), "fish", "##ing", "##in", "cat"])
    numbers = pieces.encode("Cat-fishing")
    assert [pieces.pieces[number] for number in numbers] == [START, "cat", "fish", "##ing"]
    assert [pieces.pieces[n] for n in pieces.encode("oxing")] == [START, "o", "##x", "##ing"]


def test_long_texts_are_cut():
    assert len(WordPieces([START, *letters()]).encode("word " * 100)) == MAX_TOKENS


def test_splitting_words():
    assert split_words("Jack-o'-lantern, Café_2") == ["jack", "o", "lantern", "cafe", "2"]
