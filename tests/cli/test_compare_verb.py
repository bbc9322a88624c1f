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
