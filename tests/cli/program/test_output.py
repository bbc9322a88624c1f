"""--quiet, --verbose, --log-file; lines at 80 columns; progress on a terminal only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fishembed import import_features
from fishembed.cli.program.console import Console
from fishembed.cli.program.output import fitted, wrapped


@pytest.fixture
def store(workspace):
    import numpy as np

    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    rows = np.eye(2)[labels] + 0.1 * rng.normal(size=(40, 2))
    return import_features({"features": rows, "labels": labels}, "cache/v.h5")


def test_quiet_leaves_warnings_and_answers(run, store):
    code, out, err = run("fit", "v", "--head", "centroid", "--run", "r", "--quiet")
    assert code == 0
    assert all(line.startswith("warning") for line in out.splitlines())
    assert err == ""
    assert "wrote reports/r2" in run("fit", "v", "--head", "centroid", "--run", "r2")[1]
    assert "40 rows of 2" in run("info", "v", "-q")[1]
    assert run("-q", "runs")[1] == run("runs", "-q")[1] != ""
    assert "--quiet" not in run("report", "x", "-q")[1]
    assert "no run at 'x'" in run("report", "x", "-q")[2]


def test_technical_lines_come_with_verbose(run, photos):
    _, out, _ = run("extract", "-e", "embedded")
    assert "-bound" not in out
    assert "encoding on" not in out
    _, out, _ = run("extract", "-e", "embedded", "--store", "b.h5", "-v")
    assert re.search(r"^encoding on cpu", out, re.MULTILINE)
    assert re.search(r"^\w+-bound: ", out, re.MULTILINE)
    assert "text features for prompts single" in out


def test_the_log_file_gets_every_line(run, photos):
    run("extract", "-e", "embedded", "-q", "--log-file", "logs/a.txt")
    run("info", "nothing", "--log-file", "logs/a.txt")
    text = Path("logs/a.txt").read_text(encoding="utf-8")
    assert all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d ", line) for line in text.splitlines())
    for wanted in ("encoding on cpu", "-bound", "dataset: data", "error: no feature store"):
        assert wanted in text


def test_lines_are_broken_between_words(monkeypatch, capsys):
    text = "a sentence of words " * 10
    assert max(map(len, wrapped(text, 40).split("\n"))) <= 40
    assert wrapped(text, 0) == text
    name = "cache/" + "x" * 90
    assert name in wrapped(f"store: {name} (the newest)", 40)
    monkeypatch.setenv("COLUMNS", "30")
    with Console(as_json=False) as console:
        console.message("one two three four five six seven eight nine ten")
    assert max(map(len, capsys.readouterr().out.split("\n"))) <= 30


def test_a_pipe_gets_lines_whole_and_no_progress(monkeypatch, capsys):
    monkeypatch.delenv("COLUMNS", raising=False)
    with Console(as_json=False) as console:
        console.update(1, 10)
        console.update(0, 0, "loading")
        console.message("word " * 60)
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert err == ""


def test_rows_of_a_table_are_cut_where_a_terminal_ends(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "20")
    with Console(as_json=False) as console:
        console.lines("a.png  cod 90.0%  eel 9.0%  pike 1.0%\nb.png  eel\n")
    assert capsys.readouterr().out == "a.png  cod 90.0%  e…\nb.png  eel\n"


COLUMNS = ["species", "found %", "right %", "seconds"]
ROWS = [["Plectroglyphidodon dickii", "91.0", "88.1", "3.5"], ["ハゼ", "1.0", "2.0", "0.1"]]


def widest(lines):
    from rich.cells import cell_len

    return max(map(cell_len, lines))


def test_a_table_without_a_limit_is_whole():
    lines = fitted(COLUMNS, ROWS, spare=["seconds"])
    assert lines[0].split() == ["species", "found", "%", "right", "%", "seconds"]
    assert "Plectroglyphidodon dickii" in lines[1]


@pytest.mark.parametrize("width", [60, 50, 45, 40, 32])
def test_a_table_fits_its_width(width):
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=width)
    assert widest(lines) <= width
    assert lines[0].startswith("species")


def test_spare_columns_go_before_names_are_cut():
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=45)
    assert "seconds" not in lines[0]
    assert "Plectroglyphidodon dickii" in lines[1]
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=35)
    assert "Plectrog" in lines[1]
    assert "dickii" in lines[1]
    assert "…" in lines[1]


def test_what_cannot_be_cut_stays():
    assert fitted(["a", "b"], [["x", "1" * 30]], width=10)[1].endswith("1" * 30)
