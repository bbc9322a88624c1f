from __future__ import annotations

import html
import json
import os
import re
import shutil
from pathlib import Path

import pytest
from make_run import NASTY, make_run
from PIL import Image
from small_shards import write_shard

from fishembed._base import files
from fishembed._base.csv_files import write_csv
from fishembed._base.files import write_json
from fishembed.cli.program.exit_codes import DISK, exit_code_of
from fishembed.errors import InputError, RunNotFoundError
from fishembed.experiments import Run
from fishembed.reports import write_report


def test_the_report_is_a_page_and_the_papers_figures(tmp_path):
    run = make_run(tmp_path / "run")
    page = write_report(run)
    assert page == run / "index.html"
    for name in ("loss", "accuracy", "per_class", "confusion", "accept"):
        assert (run / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert b"<svg" in (run / f"{name}.svg").read_bytes()


def test_a_head_without_epochs_has_no_loss_figure(tmp_path):
    run = make_run(tmp_path / "run", head="logistic")
    write_report(run)
    assert not (run / "loss.png").exists()
    assert (run / "per_class.png").exists()


def test_the_same_run_gives_the_same_bytes(tmp_path):
    runs = [make_run(tmp_path / name / "run", n_classes=4, rows=60) for name in "ab"]
    for run in runs:
        write_report(run)
    for name in ("index.html", "loss.svg", "confusion.svg", "per_class.png"):
        assert (runs[0] / name).read_bytes() == (runs[1] / name).read_bytes(), name


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("name", ["index.html", "confusion.csv", "per_class.png"])
def test_a_pipe_in_the_runs_folder_is_not_waited_for(tmp_path, monkeypatch, name):
    monkeypatch.setattr(files, "_PATIENCE", 0.1)
    run = make_run(tmp_path / "run", n_classes=4, rows=60)
    os.mkfifo(run / name)
    with pytest.raises(OSError, match="nobody reads") as caught:
        write_report(run)
    assert exit_code_of(caught.value) is DISK


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")
@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir], ids=["pipe", "folder"])
def test_a_page_is_written_where_the_field_scores_are_no_file(tmp_path, make):
    run = make_run(tmp_path / "run", n_classes=4, rows=60)
    make(run / "field.json")
    assert "are not answered: cannot read" in write_report(run).read_text(encoding="utf-8")


def test_names_are_text_wherever_they_stand(tmp_path):
    page = write_report(make_run(tmp_path / "run", names=NASTY, rows=300))
    text = page.read_text(encoding="utf-8")
    assert "<script>window" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;window.hacked" in text
    assert "49" not in re.findall(r"\{\{ 7\*7 \}\}|49(?= \{%)", text)
    assert "\u2028" not in text
    assert text.count("</script>") == 2


@pytest.mark.parametrize("n_classes", [1, 2, 200])
def test_any_number_of_classes_comes_out(tmp_path, n_classes):
    page = write_report(make_run(tmp_path / "run", n_classes=n_classes, rows=300), formats=["html"])
    assert "of 300 test photos " in _headline(page.read_text(encoding="utf-8"))


def test_only_the_figures_when_no_page_is_wanted(tmp_path):
    run = make_run(tmp_path / "run", n_classes=3, rows=30)
    assert write_report(run, formats=["pdf"]) == run
    assert (run / "confusion.pdf").exists()
    assert not (run / "index.html").exists()


def test_an_unknown_format_is_named(tmp_path):
    with pytest.raises(InputError, match="'docx'"):
        write_report(make_run(tmp_path / "run", n_classes=2, rows=9), formats=["docx"])


def test_no_run(tmp_path):
    with pytest.raises(RunNotFoundError):
        write_report(tmp_path)


def _text(folder, photos=None, **made):
    page = write_report(make_run(folder / "run", **made), photos=photos, formats=["html"])
    return page.read_text(encoding="utf-8")


def _headline(text):
    return html.unescape(re.search(r'<h1 id="verdict">(.*?)</h1>', text, flags=re.DOTALL)[1])


def test_photos_that_are_not_known_are_told(tmp_path):
    assert "the store does not know its photos" in _text(tmp_path, n_classes=3, skill=0)


def test_photos_that_are_gone_are_told(tmp_path):
    text = _text(tmp_path, n_classes=3, skill=0, source_root=tmp_path / "gone")
    assert "no folder of photos at" in text
    assert "data:image/jpeg" not in text


def test_photos_can_be_named(tmp_path):
    photos = tmp_path / "moved"
    photos.mkdir()
    paths = [f"{i}.png" for i in range(40)]
    for path in paths[:-1]:
        Image.new("RGB", (8, 8)).save(photos / path)
    text = _text(tmp_path, photos, n_classes=2, rows=40, skill=-9, paths=paths)
    assert "data:image/jpeg;base64," in text


def test_photos_may_lie_in_tars(tmp_path):
    write_shard(tmp_path / "0.tar", range(40))
    paths = [f"0.tar/{i:09d}.png" for i in range(40)]
    text = _text(tmp_path, n_classes=2, rows=40, skill=-9, paths=paths, source_root=tmp_path)
    assert "data:image/jpeg;base64," in text
    assert "could not be read" not in text


def test_photos_at_a_url_that_cannot_be_used_are_told(tmp_path):
    text = _text(tmp_path, n_classes=3, skill=0, source_root="nosuch://bucket/photos")
    assert "There are no photos here" in text


def test_pictures_that_cannot_be_read_are_counted(tmp_path):
    paths = [f"{i}.png" for i in range(4)]
    Image.new("RGB", (8, 8)).save(tmp_path / "0.png")
    text = _text(tmp_path, tmp_path, n_classes=2, rows=4, skill=-9, paths=paths)
    assert re.search(r"[1-3] photos? could not be read in", text)


def test_scores_on_training_images_are_not_believed(tmp_path):
    assert "this says nothing about new ones" in _text(tmp_path, n_classes=3, split="train")


def test_constant_scores_come_out(tmp_path):
    text = _text(tmp_path, constant=True)
    assert re.search(r"\d+ species were never recognised: .* and others\.", text)


def test_a_selection_is_shown(tmp_path):
    run = make_run(tmp_path / "run", n_classes=3, head="auto")
    info = json.loads((run / "run.json").read_text())
    info["selection"] = selection()
    write_json(run / "run.json", info)
    text = write_report(run, formats=["html", "svg"]).read_text(encoding="utf-8")
    assert "logistic &lt;b&gt;" in text
    assert "3 candidates were compared" in text
    assert "55.0 ± 2.0" in text
    assert "is no estimate of what it reaches on new photos" in text
    assert (run / "selection.svg").is_file()
    assert 'id="selection-figure"' in text
    assert "Of 3 candidates of 2 kinds, logistic &lt;b&gt; was chosen" in text


def selection():
    """Candidates as `auto` records them, the one taken first."""
    scores = ("accuracy", "macro_recall", "macro_f1", "log_loss")
    return [
        {
            "candidate": name,
            "parameters": f"C={c}",
            **{
                f"{score}_{what}": v for score in scores for what, v in (("mean", m), ("std", 0.02))
            },
            "seconds": 0.1,
            "tied": False,
            "chosen": m == 0.55,
        }
        for name, c, m in (
            ("logistic <b>", 1, 0.55),
            ("logistic <b>", 10, 0.5),
            ("gaussian", 1, 0.4),
        )
    ]


def test_the_first_lines_lead_to_every_part(tmp_path):
    text = write_report(make_run(tmp_path / "run", n_classes=3), formats=["html"]).read_text()
    navigation = re.search(r'<nav id="parts".*?</nav>', text, flags=re.DOTALL)[0]
    parts = re.findall(r'<a href="#([^"]+)"', navigation)
    assert parts == ["overview", *re.findall(r'<section id="([^"]+)"', text)]
    assert parts == [
        "overview", "mixups", "species", "matrix-section", "sure", "more-photos", "map-section",
        "choice", "made",
    ]  # fmt: skip


def test_figures_say_in_words_what_they_show(tmp_path):
    text = write_report(make_run(tmp_path / "run", n_classes=3), formats=["html"]).read_text()
    labels = re.findall(r'<svg role="img" aria-label="([^"]+)"', text)
    assert len(labels) == 6
    assert any(label.startswith("Loss after the last epoch: 0.48 in training") for label in labels)


def test_zero_shot_shows_its_prompts(tmp_path):
    run = make_run(tmp_path / "run", n_classes=3, zeroshot=True)
    assert "<q>a photo of a {}</q>" in write_report(run, formats=["html"]).read_text()


def test_numbered_classes_read_as_classes(tmp_path):
    run = make_run(tmp_path / "run", names=["94", "59"], rows=60, skill=0.2)
    text = write_report(run, formats=["html", "md"]).read_text()
    assert '</b> of the photos of <bdi class="species">94' in text
    assert "images of 94" in (run / "report.md").read_text()


def test_images_without_a_label_are_told(tmp_path):
    run = make_run(tmp_path / "run", n_classes=3, rows=10)
    rows = [list(row.values()) for row in Run.open(run).predictions]
    rows[0][1] = ""
    write_csv(run / "predictions.csv", list(Run.open(run).predictions[0]), rows)
    text = write_report(run, formats=["html"]).read_text(encoding="utf-8")
    assert "1 photo without a label" in text


@pytest.mark.slow
def test_a_thousand_classes_stay_below_ten_megabytes(tmp_path):
    run = make_run(tmp_path / "run", n_classes=1000, rows=20_000)
    page = write_report(run, formats=["html"])
    assert page.stat().st_size < 10e6


def test_the_page_says_what_flatters_least(tmp_path):
    text = _text(tmp_path, n_classes=6, skill=1)
    assert "Worst false alarm" in text
    assert len(re.findall(r"always species 000: [\d.]+%", text)) == 3
    assert text.count("Probabilities assume that species are as common as among the training") == 2


@pytest.mark.parametrize("name", ["fit-linear", "fit-logistic", "zeroshot"])
def test_a_run_of_an_older_version_gets_its_report(tmp_path, name):
    run = tmp_path / name
    shutil.copytree(Path(__file__).parents[1] / "data" / "written_by_0" / name, run)
    text = write_report(run, formats=["html", "md", "tex"]).read_text(encoding="utf-8")
    assert "% of " in _headline(text)
    assert len(re.findall(r'<div class="key">', text)) == 3
    assert (run / "report.md").is_file()
