from __future__ import annotations

import csv

from make_run import NASTY, make_run

from fishembed import Run
from fishembed.reports import write_report
from fishembed.reports.run_tables import latex_tables, markdown_summary


def test_markdown_says_the_verdict_and_every_class(tmp_path):
    text = markdown_summary(Run.open(make_run(tmp_path / "run", n_classes=5, skill=1)))
    assert "test images right" in text
    assert text.count("| species 00") == 5
    assert "were called species" in text
    assert "`fishembed fit cache/gone.h5 --head linear`" in text


def test_names_cannot_break_markdown(tmp_path):
    text = markdown_summary(Run.open(make_run(tmp_path / "run", names=NASTY, rows=300, skill=1)))
    assert "<script>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| ")]
    assert len(rows) == len(NASTY) + 1
    bare = [line.replace("\\|", "") for line in rows]
    assert {line.count("|") for line in bare} == {6}


def test_names_cannot_break_latex(tmp_path):
    text = latex_tables(Run.open(make_run(tmp_path / "run", names=NASTY, rows=300)))
    assert r"\textbackslash{}begin\{x\} 100\% \#1 \textasciitilde{}\textasciicircum{}\_" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == 2


def test_documents_are_written_and_the_first_is_given(tmp_path):
    run = make_run(tmp_path / "run", n_classes=3, rows=30)
    assert write_report(run, formats=["tex", "md"]) == run / "report.md"
    assert (run / "tables.tex").exists()
    assert not (run / "index.html").exists()
    with (run / "confusion.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert sum(int(cell) for row in rows[1:] for cell in row[1:]) == 30
