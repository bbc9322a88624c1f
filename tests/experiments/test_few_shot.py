from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fishembed import Run, import_vectors, run_fit
from fishembed.errors import InputError
from fishembed.experiments.few_shot import FewShotSettings, few_shots
from fishembed.reports import write_learning_curve
from fishembed.reports.text_tables import learning_curve_table


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
    assert [row[0] for row in rows] == ["1", "8"]
    assert all(len(row) == len(columns) for row in rows)
    without = run_fit(store, head="gaussian", reports="reports")
    assert without.shots == []
    assert write_learning_curve(without) is None


@pytest.mark.parametrize(("shots", "seeds"), [((), 3), ((0, 1), 3), ((1,), 0)])
def test_what_cannot_be_drawn_is_refused(shots, seeds):
    with pytest.raises(InputError, match="from 1 on"):
        FewShotSettings(shots, seeds)
