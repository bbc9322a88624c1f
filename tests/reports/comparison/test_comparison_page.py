from __future__ import annotations

import numpy as np
from make_run import NASTY, make_run
from PIL import Image

from fishembed.experiments import compare_runs
from fishembed.reports import write_comparison

TRUE = np.arange(300) % 5


def run(folder, name, **made):
    return make_run(folder / name, **({"n_classes": 5, "true": TRUE} | made))


def test_the_page_shows_what_changed(tmp_path):
    paths = [f"{i}.png" for i in range(300)]
    for path in paths:
        Image.new("RGB", (9, 9)).save(tmp_path / path)
    made = {"paths": paths, "source_root": tmp_path}
    runs = [run(tmp_path, "a", skill=0.5, **made), run(tmp_path, "b", seed=1, **made)]
    page = write_comparison(compare_runs(runs))
    assert page == tmp_path / "compare-a-b.html"
    text = page.read_text(encoding="utf-8")
    assert "b is better than a" in text
    assert text.count("data:image/jpeg") == 12 + 6  # below the headline as well
    assert 0 < text.index("Lost: only a is right") < text.index("Gained: only b is right")


def test_many_runs_and_classes_are_folded(tmp_path):
    true = np.arange(606) % 101
    made = {"n_classes": 101, "true": true}
    runs = [run(tmp_path, f"r{i}", skill=1 + i, seed=i, **made) for i in range(8)]
    text = write_comparison(compare_runs(runs)).read_text(encoding="utf-8")
    assert "61 more species" in text
    assert "21 more pairs" in text
    assert text.count("<details>") >= 2
    assert text.index("r7") < text.index("r0")


def test_hostile_names_stay_text(tmp_path):
    true = np.arange(300) % len(NASTY)
    runs = [run(tmp_path, f"{s}", names=NASTY, true=true, skill=s, seed=s) for s in (1, 2)]
    text = write_comparison(compare_runs(runs)).read_text(encoding="utf-8")
    assert "<script>window" not in text
    assert "<img src=x" not in text


def test_runs_that_agree_are_said_to(tmp_path):
    comparison = compare_runs([run(tmp_path, "a"), run(tmp_path, "b")])
    text = write_comparison(comparison).read_text(encoding="utf-8")
    assert "a and b cannot be told apart" in text
