from __future__ import annotations

import json

import numpy as np
import pytest
from PIL import Image

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


@pytest.mark.slow
def test_photos_without_labels_are_grouped(workspace):
    draw(workspace / "photos", ["."], 30)
    done = run_usual_job(workspace / "photos", encoder="embedded")
    assert not done.runs
    assert len(done.sentences) == 5
    assert done.page.is_file()
    assert "suggest" in done.sentences[-1]
