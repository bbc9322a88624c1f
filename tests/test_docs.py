"""The figures that several documents state are the same in all of them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
SHARE = r"(\d+\.\d)% *(?:\([^)]*\))? \| "
ROW = re.compile(SHARE + SHARE + r"(\d+) of ([\d,]+) \|")


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def measured(text: str) -> list[tuple[str, str, str, str]]:
    """Return accuracy, macro recall, classes at zero and classes of every row of a table."""
    return ROW.findall(text)


def test_the_readme_shows_in_its_table_what_it_shows_on_its_console():
    text = read("README.md")
    rows = measured(text)
    assert len(rows) >= 7
    summaries = re.findall(
        r"^(\d+\.\d)% of 878 test images right [^;]*; macro recall (\d+\.\d) [^;]*; (no|\d+) class",
        text,
        re.MULTILINE,
    )
    shown = {(accuracy, recall, "0" if n == "no" else n) for accuracy, recall, n in summaries}
    assert len(shown) == 2
    assert shown <= {(accuracy, recall, zero) for accuracy, recall, zero, n in rows if n == "23"}


def test_the_same_runs_have_the_same_figures_in_every_document():
    readme = set(measured(read("README.md")))
    again = measured(read("docs/reproduce.md"))
    assert len(again) >= 6
    assert set(again) <= readme
    best = next(row for row in measured(read("README.md"))[2:] if row[3] == "23")
    assert f"{best[0]} and {best[1]}, none at zero" in read("docs/rare-classes.md")


def test_intervals_of_the_same_run_agree():
    text = read("README.md")
    table = re.findall(r"(\d+\.\d)% \((\d+\.\d) to (\d+\.\d)\)", text)
    console = re.findall(r"(\d+\.\d)% of 878 test images right \((\d+\.\d) to (\d+\.\d)\)", text)
    assert console
    assert set(console) <= set(table)
