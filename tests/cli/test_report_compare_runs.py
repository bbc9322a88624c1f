from __future__ import annotations

import csv
import json

import numpy as np
import pytest
from scipy.stats import binomtest


def right(predictions):
    """Which images a run called right, in the order of their paths."""
    with predictions.open(newline="") as file:
        rows = sorted(csv.DictReader(file), key=lambda row: row["path"])
    return np.array([row["true"] == row["predicted"] for row in rows])


def test_compare_and_other_formats(run, workspace):
    labels = np.arange(4).repeat(6)
    noise = np.random.default_rng(0).normal(size=(24, 4))
    np.savez(workspace / "v.npz", features=np.eye(4)[labels] + noise, labels=labels)
    assert run("import", "v.npz")[0] == 0
    assert run("fit", "--run", "a")[0] == 0
    assert run("fit", "--head", "linear", "--epochs", "1", "--run", "b")[0] == 0
    code, out, _ = run("compare", "a", "b")
    assert code == 0
    assert out.splitlines()[0].startswith("run")
    assert (workspace / "reports" / "compare-a-b.html").is_file()
    [difference] = json.loads(run("compare", "a", "b", "--json")[1])["differences"]
    right_a, right_b = (right(workspace / "reports" / name / "predictions.csv") for name in "ab")
    gained, lost = int((right_b & ~right_a).sum()), int((right_a & ~right_b).sum())
    assert gained + lost > 0
    assert difference["accuracy"] == pytest.approx(right_b.mean() - right_a.mean())
    chance = binomtest(gained, gained + lost).pvalue
    assert difference["p"] == pytest.approx(chance)
    low, high = difference["accuracy_ci95"]
    assert low <= difference["accuracy"] <= high
    assert run("report", "a", "--format", "md")[0] == 0
    assert (workspace / "reports" / "a" / "report.md").is_file()
    assert run("report", "a", "--format", "doc")[0] == 2


@pytest.fixture
def two_runs(run, workspace):
    """Zero-shot on all images of a store without splits, and a classifier on its hold-out."""
    labels = np.arange(4).repeat(15)
    noise = np.random.default_rng(0).normal(size=(60, 4))
    np.savez(
        workspace / "v.npz",
        features=np.eye(4)[labels] + noise,
        labels=labels,
        text_features=np.eye(4),
        logit_scale=10.0,
    )
    assert run("import", "v.npz")[0] == 0
    assert run("zeroshot", "--run", "words")[0] == 0
    assert run("fit", "--head", "centroid", "--run", "means")[0] == 0
    return "words", "means"


def test_zero_shot_and_fit_are_compared_on_the_images_they_share(run, two_runs):
    code, out, _ = run("compare", *two_runs)
    assert code == 0
    assert "words on 60, means on 12" in out
    assert "the 12 that they share" in out
    document = json.loads(run("compare", *two_runs, "--json")[1])
    assert document["images"] == 12
    assert [one["scored"] for one in document["scores"]] in ([60, 12], [12, 60])


def test_a_file_is_what_its_ending_says(run, workspace, two_runs):
    for name, start in (
        ("t.tex", b"% needs"),
        ("t.csv", b"run,seeds,images"),
        ("t.md", b"**"),
        ("t.json", b"{"),
        ("t.pdf", b"%PDF"),
        ("t.png", b"\x89PNG"),
        ("t.html", b"<!doctype html>"),
    ):
        assert run("compare", *two_runs, "-o", name)[0] == 0, name
        assert (workspace / name).read_bytes().startswith(start), name
    code, _, error = run("compare", *two_runs, "-o", "t.docx")
    assert code == 2
    assert ".docx" in error
    assert run("compare", *two_runs, "-o", "t.csv", "--format", "tex")[0] == 2
    assert run("compare", *two_runs, "--format", "doc")[0] == 2


def test_several_formats_lie_beside_each_other(run, workspace, two_runs):
    code, out, _ = run("compare", *two_runs, "--format", "tex", "--format", "csv", "--json")
    assert code == 0
    names = [f"reports/compare-words-means.{ending}" for ending in ("tex", "csv")]
    assert all((workspace / name).is_file() for name in names)
    assert not (workspace / "reports" / "compare-words-means.html").exists()
    assert json.loads(out)["files"] == names


def test_a_series_of_seeds_is_one_line(run, workspace, two_runs):
    found = json.loads(run("fit", "--head", "linear", "--seeds", "3", "--run", "net", "--json")[1])
    assert found["seeds"] == [0, 1, 2]
    assert [(workspace / one / "run.json").is_file() for one in found["runs"]] == [True] * 3
    shares = [
        json.loads((workspace / one / "metrics.json").read_text())["accuracy"]
        for one in found["runs"]
    ]
    assert found["accuracy"] == pytest.approx(np.mean(shares))
    assert found["accuracy_sd"] == pytest.approx(np.std(shares, ddof=1))
    code, out, _ = run("compare", "means", "net", "--json")
    assert code == 0
    scores = {one["run"]: one for one in json.loads(out)["scores"]}
    assert scores["net"]["seeds"] == 3
    assert scores["net"]["accuracy"] == pytest.approx(np.mean(shares))
    assert scores["net"]["accuracy_sd"] == pytest.approx(np.std(shares, ddof=1))
    assert scores["means"]["accuracy_sd"] is None
    assert " ± " in run("compare", "means", "net")[1]


def test_lines_fit_a_terminal_of_80_columns(run, two_runs):
    assert run("fit", "--head", "linear", "--seeds", "2", "--run", "n" * 60)[0] == 0
    out = run("compare", "words", "means", "n" * 60)[1]
    table = [line for line in out.splitlines() if line[:1].isdigit()]
    assert len(table) == 6
    assert max(map(len, table)) <= 80
