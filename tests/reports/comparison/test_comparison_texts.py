from __future__ import annotations

import csv
import io
import json

import numpy as np
import pytest
from make_run import NASTY, make_run

from fishembed.errors import InputError
from fishembed.experiments import compare_runs
from fishembed.reports import write_comparison
from fishembed.reports.comparison.comparison_texts import comparison_document, headline, pairs_table

TRUE = np.arange(300) % 5


@pytest.fixture
def three(tmp_path):
    made = {"n_classes": 5, "true": TRUE}
    return compare_runs([make_run(tmp_path / f"r_{s}", skill=s, seed=s, **made) for s in (0, 1, 4)])


def test_the_best_stands_first_everywhere(three, tmp_path):
    best = max(three.entries, key=lambda one: one.macro_recall).name
    assert comparison_document(three)["scores"][0]["run"] == best
    text = write_comparison(three, output=tmp_path / "t.csv").read_text(encoding="utf-8-sig")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [float(row["macro_recall"]) for row in rows] == sorted(
        (one.macro_recall for one in three.entries), reverse=True
    )
    assert rows[0]["macro_recall_to_best"] == ""
    assert float(rows[1]["macro_recall_to_best"]) < 0
    assert json.loads(write_comparison(three, output=tmp_path / "t.json").read_text())


def test_latex_has_caption_label_and_escaped_names(three, tmp_path):
    text = write_comparison(three, output=tmp_path / "t.tex").read_text()
    for part in (r"\caption{3 runs on 300", r"\label{tab:compare-r-0-r-1-r-4}", r"r\_4", r"$-$"):
        assert part in text
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 1


def test_a_headline_has_at_most_15_words(three):
    assert len(headline(three).split()) <= 15
    assert len(pairs_table(three)[1]) == 3


def test_every_format_takes_hostile_names(tmp_path):
    true = np.arange(300) % len(NASTY)
    runs = [make_run(tmp_path / f"{s}", names=NASTY, true=true, skill=s, seed=s) for s in (1, 2)]
    for kind in ("md", "tex", "csv", "json", "pdf", "svg"):
        assert write_comparison(compare_runs(runs), output=tmp_path / f"t.{kind}").stat().st_size


def test_an_ending_that_is_no_format_is_refused(three, tmp_path):
    with pytest.raises(InputError, match=r"ends in \.docx"):
        write_comparison(three, output=tmp_path / "t.docx")
    with pytest.raises(InputError, match="is a folder"):
        write_comparison(three, output=tmp_path)
