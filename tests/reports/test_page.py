from __future__ import annotations

import re

import pytest
from make_run import NASTY, make_run

from fishembed.errors import InputError, RunNotFoundError
from fishembed.reports.page import write_report


def test_the_report_is_a_page_and_the_papers_figures(tmp_path):
    run = make_run(tmp_path / "run")
    page = write_report(run)
    assert page == run / "index.html"
    for name in ("loss", "accuracy", "per_class", "confusion"):
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
    assert "of 300 test images right" in page.read_text(encoding="utf-8")


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
