from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from fishembed import Run, import_vectors, run_fit
from fishembed.errors import InputError
from fishembed.experiments.few_shot import FewShotSettings, curve_points, few_shots
from fishembed.reports import write_learning_curve, write_report
from fishembed.reports.run_tables import learning_curve_table


@given(st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(1, 12), st.integers(0, 99))
def test_every_class_has_its_share(counts, shots, seed):
    y = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    rows = few_shots(y, shots, seed)
    assert (np.diff(rows) > 0).all()
    assert np.bincount(y[rows]).tolist() == [min(shots, count) for count in counts]
    assert (few_shots(y, shots, seed) == rows).all()


@pytest.fixture
def store(tmp_path):
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    return import_vectors(
        {
            "features": 2 * np.eye(8)[labels] + rng.normal(size=(90, 8)),
            "labels": labels,
            "splits": np.repeat(["train", "test"], 45),
        },
        tmp_path / "fish.h5",
    )


def test_a_learning_curve_lies_in_the_run(store):
    run = run_fit(store, head="gaussian", shots=FewShotSettings((1, 8), 2), reports="reports")
    assert [(row["shots"], row["seed"]) for row in run.shots] == [
        ("1", "0"),
        ("1", "1"),
        ("8", "0"),
        ("8", "1"),
    ]
    assert [row["n_train"] for row in run.shots] == ["3", "3", "24", "24"]
    scores = [float(row["macro_recall"]) for row in run.shots]
    assert sum(scores[:2]) < sum(scores[2:]) <= 2 * run.metrics["macro_recall"] + 0.2
    assert run.result.few_shot == Run.load(run.folder).few_shot
    assert write_learning_curve(run) == run.folder / "learning_curve.png"
    for suffix in ("png", "svg"):
        assert (run.folder / f"learning_curve.{suffix}").stat().st_size > 1000
    columns, rows = learning_curve_table(run.result.few_shot)
    assert [row[:3] for row in rows] == [["1", "gaussian", "3"], ["8", "gaussian", "24"]]
    assert all(len(row) == len(columns) for row in rows)
    without = run_fit(store, head="gaussian", reports="reports")
    assert without.shots == []
    assert write_learning_curve(without) is None


@pytest.mark.parametrize(("shots", "seeds"), [((), 3), ((0, 1), 3), ((1,), 0)])
def test_what_cannot_be_drawn_is_refused(shots, seeds):
    with pytest.raises(InputError, match="from 1 on"):
        FewShotSettings(shots, seeds)


@pytest.fixture
def store_with_words(tmp_path):
    rng = np.random.default_rng(1)
    labels = np.arange(120) % 4
    return import_vectors(
        {
            "features": 2 * np.eye(8)[labels] + rng.normal(size=(120, 8)),
            "labels": labels,
            "classes": ["carp", "perch", "pike", "roach"],
            "text_features": np.eye(4, 8) + 0.1,
            "splits": np.repeat(["train", "test"], 60),
        },
        tmp_path / "words.h5",
    )


def test_auto_is_drawn_against_logistic_and_zero_shot(store_with_words):
    run = run_fit(store_with_words, shots=FewShotSettings((1, 4), 3), reports="reports")
    rows = run.result.few_shot
    told = [(row["shots"], row["seed"], row["head"]) for row in rows]
    assert told[0] == (0, 0, "zeroshot")
    assert told[1:] == [
        (shots, seed, head)
        for shots in (1, 4)
        for seed in (0, 1, 2)
        for head in ("auto", "logistic")
    ]
    assert Run.load(run.folder).few_shot == rows
    curve = curve_points(rows)
    assert [(p.shots, p.head) for p in curve][:3] == [(0, "zeroshot"), (1, "auto"), (1, "logistic")]
    for point in curve[1:]:
        same = [r for r in rows if (r["shots"], r["head"]) == (point.shots, point.head)]
        values = [row["accuracy"] for row in same]
        assert point.accuracy.mean == pytest.approx(np.mean(values))
        if len(set(values)) > 1:
            low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
            assert point.accuracy.low == pytest.approx(max(low, 0))
            assert point.accuracy.high == pytest.approx(min(high, 1))
        else:
            assert np.isnan(point.accuracy.low)
        assert (point.gain is None) == (point.head == "auto")
    columns, lines = learning_curve_table(rows)
    assert columns[-1] == "auto's gain"
    assert [line[:2] for line in lines] == [
        ["0", "zeroshot"],
        ["1", "auto"],
        ["1", "logistic"],
        ["4", "auto"],
        ["4", "logistic"],
    ]
    assert lines[0][-1] == lines[1][-1] == ""
    assert lines[2][-1].startswith(("+", "-"))
    page = write_report(run).read_text()
    assert 'id="more-photos"' in page
    assert "auto&#39;s gain" in page
    assert 'id="learning-curve-figure"' in page


def test_a_curve_of_an_older_run_names_its_head():
    old = [{"shots": 2.0, "seed": 0.0, "n_train": 6.0, "accuracy": 0.5, "macro_recall": 0.4}]
    [point] = curve_points([row | {"classes_at_zero": 1.0} for row in old], "gaussian")
    assert (point.head, point.shots, point.n_train) == ("gaussian", 2, 6)
    assert np.isnan(point.macro_recall.low)  # one draw has no interval
    assert learning_curve_table([old[0] | {"classes_at_zero": 1.0}], "gaussian")[1] == [
        ["2", "gaussian", "6", "50.0", "40.0", "", "1.0"]
    ]
