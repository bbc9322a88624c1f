from __future__ import annotations

import numpy as np
import pytest

from fishembed.encoders import PromptSet, encode_prompts, load_aliases, load_prompts, spoken_name
from fishembed.errors import NoTextTowerError, PromptError


class Words:
    """An encoder whose text vectors are easy to compute by hand."""

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        self.spec = type("Spec", (), {"name": "words"})

    def encode_texts(self, texts):
        if self.silent:
            return None
        return np.array([[len(t), 1.0] for t in texts], np.float32)


def test_the_papers_prompt_and_clips():
    assert load_prompts("single").templates == ("a photo of a {}",)
    ensemble = load_prompts("ensemble").templates
    assert len(ensemble) == 80
    assert all(template.count("{}") == 1 for template in ensemble)


def test_a_file_of_templates(tmp_path):
    file = tmp_path / "underwater.txt"
    file.write_text("# my prompts\n\na {} under water\n  a blurry {}  \n", encoding="utf-8")
    assert load_prompts(str(file)) == PromptSet("underwater", ("a {} under water", "a blurry {}"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "no template"),
        ("a photo\n", "needs one {}"),
        ("{} and {}\n", "needs one {}"),
    ],
)
def test_files_that_cannot_be_used(tmp_path, content, message):
    file = tmp_path / "p.txt"
    file.write_text(content)
    with pytest.raises(PromptError, match=message):
        load_prompts(str(file))


def test_names_that_mean_no_set(tmp_path):
    with pytest.raises(PromptError, match="no prompt set 'paper'"):
        load_prompts("paper")
    file = tmp_path / "single.txt"
    file.write_text("a {}\n")
    with pytest.raises(PromptError, match="taken"):
        load_prompts(str(file))


def test_vectors_are_means_of_unit_vectors():
    vectors = encode_prompts(Words(), ["eel", "cod fish"], PromptSet("x", ("{}", "a {}")))
    expected = [np.array([n, 1]) / np.hypot(n, 1) for n in (3, 5)]
    assert vectors.shape == (2, 2)
    assert vectors[0] == pytest.approx(np.mean(expected, axis=0))
    with pytest.raises(NoTextTowerError, match="no text tower"):
        encode_prompts(Words(silent=True), ["eel"], PromptSet("x", ("{}",)))


def test_spoken_names():
    assert spoken_name("Black_Spotted__Barb ") == "Black Spotted Barb"


def test_aliases(tmp_path):
    file = tmp_path / "names.csv"
    file.write_text("class,name\nIP_Tarpon,Indo-Pacific tarpon\n", encoding="utf-8")
    assert load_aliases(file, ["IP_Tarpon", "Eel"]) == {"IP_Tarpon": "Indo-Pacific tarpon"}


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("lines", ["class;name", "sep=;\nclass;name", "class\tname", "name|class"])
def test_aliases_in_any_dialect(tmp_path, codec, lines):
    delimiter = next(sign for sign in ";\t|" if sign in lines)
    row = ["eel", "Aal, grün"]
    text = f"{lines}\n{delimiter.join(row[::-1] if '|' in lines else row)}\n{delimiter}\n"
    file = tmp_path / "names.csv"
    file.write_bytes(text.encode(codec))
    assert load_aliases(file, ["eel"]) == {"eel": "Aal, grün"}


def test_what_was_guessed_of_aliases_is_said(tmp_path):
    class Messages:
        def __init__(self):
            self.said = []

        def message(self, text):
            self.said.append(text)

    file = tmp_path / "names.csv"
    for text, said in (("Aal", 0), ("Gründling", 1)):
        progress = Messages()
        file.write_bytes(f"class;name\neel;{text}\n".encode("cp1252"))
        assert load_aliases(file, ["eel"], progress) == {"eel": text}
        assert len(progress.said) == said
    assert "Windows-1252" in progress.said[0]


def test_prompts_in_any_encoding(tmp_path):
    file = tmp_path / "mine.txt"
    for codec in ("utf-16", "cp1252", "utf-8-sig"):
        file.write_bytes("ein {} für mich\r\n".encode(codec))
        assert load_prompts(str(file)).templates == ("ein {} für mich",)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("name,alias\na,b\n", "needs the columns class and name"),
        ("class,name\neal,European eel\n", "no class 'eal': did you mean 'eel'"),
        ("class,name\neel,\n", "no name"),
        ("class,name\neel,NaN\n", "no name"),
        ("class,name\neel,a\neel,b\n", "two names"),
    ],
)
def test_aliases_that_make_no_sense(tmp_path, content, message):
    file = tmp_path / "names.csv"
    file.write_text(content)
    with pytest.raises(PromptError, match=message):
        load_aliases(file, ["eel", "cod"])
    with pytest.raises(PromptError, match="cannot read"):
        load_aliases(tmp_path / "missing.csv", ["eel"])
