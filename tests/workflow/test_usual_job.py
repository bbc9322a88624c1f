from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from PIL import Image

import fishembed
from fishembed.cli import main
from fishembed.workflow import run_usual_job


def draw(folder, names, n=12):
    rng = np.random.default_rng(0)
    for k, name in enumerate(names):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for i in range(n):
            pixels = rng.integers(0, 90, (32, 32, 3)) + np.array([80 * k, 40, 160 - 80 * k])
            Image.fromarray(pixels.astype(np.uint8)).save(folder / name / f"{i}.png")


@pytest.mark.slow
def test_the_usual_job_says_what_came_out_in_five_sentences(workspace, capsys):
    draw(workspace / "photos", ["cod", "eel", "pike"])
    with pytest.raises(SystemExit) as ended:
        main(["run", "photos", "--encoder", "embedded", "--json"])
    assert not ended.value.code
    found = json.loads(capsys.readouterr().out)
    assert len(found["sentences"]) == 5
    assert len(found["runs"]) == 3
    assert "36 photos of 3 classes" in found["sentences"][0]
    assert (workspace / found["page"]).is_file()
    assert (workspace / found["comparison"]).is_file()


@pytest.fixture
def ask(monkeypatch, capsys):
    """Run the verb with an encoder that needs no torch; return its exit code and its document."""

    def extract(photos, **how):
        return fishembed.extract(photos, **(how | {"encoder": FakeEncoder()}))

    monkeypatch.setattr("fishembed.workflow.usual_job.extract", extract)

    def call(*words):
        with pytest.raises(SystemExit) as ended:
            main(["run", *words, "--json"])
        return int(ended.value.code or 0), json.loads(capsys.readouterr().out)

    return call


def test_two_photos_of_two_classes_are_scored_zero_shot_and_no_more(workspace, ask):
    draw(workspace / "photos", ["cod", "eel"], 1)
    code, found = ask("photos")
    assert code == 3
    assert [Path(one).name for one in found["runs"]] == ["photos-zeroshot"]
    assert "too few to hold a part out" in found["lacks"]
    assert "at least two photos of each species" in found["sentences"][-1]
    assert (workspace / found["page"]).is_file()
    assert (workspace / found["audit"] / "index.html").is_file()


def test_one_class_is_grouped_and_a_second_one_asked_for(workspace, ask):
    draw(workspace / "photos", ["cod"], 6)
    code, found = ask("photos")
    assert code == 3
    assert found["lacks"] == "All labels are of one class, cod: a classifier needs two."
    assert found["runs"] == []
    assert (workspace / found["page"]).is_file()
    assert "fishembed fix cache/photos.h5" in found["sentences"][-1]


def test_one_photo_is_encoded_and_more_are_asked_for(workspace, ask):
    draw(workspace / "photos", ["."], 1)
    code, found = ask("photos")
    assert code == 3
    assert found["sentences"][0].startswith("1 photo without labels is encoded")
    assert found["page"] is None
    assert "more photos" in found["lacks"]


@pytest.mark.slow
def test_photos_without_labels_are_grouped(workspace):
    draw(workspace / "photos", ["."], 30)
    done = run_usual_job(workspace / "photos", encoder="embedded")
    assert not done.runs
    assert len(done.sentences) == 5
    assert done.page.is_file()
    assert "suggest" in done.sentences[-1]
