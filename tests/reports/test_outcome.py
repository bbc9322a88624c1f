from __future__ import annotations

import numpy as np
import pytest
from make_run import NASTY, make_run

from fishembed._base.csv_files import write_csv
from fishembed.errors import RunFormatError
from fishembed.reports.outcome import read_outcome
from fishembed.reports.run import Run


def test_tables_become_arrays(tmp_path):
    run = Run.open(make_run(tmp_path / "run", n_classes=7, rows=200))
    outcome = read_outcome(run)
    assert outcome.predictions.right.mean() == pytest.approx(run.metrics["accuracy"])
    assert outcome.classes.recall[outcome.classes.scored].mean() == pytest.approx(
        run.metrics["macro_recall"]
    )
    assert set(outcome.history) == {
        "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    }  # fmt: skip
    assert outcome.top_k == 5


def test_names_that_look_alike_when_shown_stay_two_classes(tmp_path):
    outcome = read_outcome(Run.open(make_run(tmp_path / "run", names=["a\n", "a\\n"], rows=50)))
    assert outcome.classes.names == ("a\\n", "a\\n")
    assert set(outcome.predictions.true.tolist()) == {0, 1}


def test_hostile_names_are_read_back(tmp_path):
    outcome = read_outcome(Run.open(make_run(tmp_path / "run", names=NASTY, rows=200)))
    assert len(outcome.classes.names) == len(NASTY)
    assert (outcome.predictions.true >= 0).all()


def test_images_without_label_are_neither_right_nor_wrong(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    rows = [list(row.values()) for row in Run.open(folder).predictions]
    columns = list(Run.open(folder).predictions[0])
    rows[0][1] = ""
    write_csv(folder / "predictions.csv", columns, rows)
    predictions = read_outcome(Run.open(folder)).predictions
    assert not predictions.labelled[0]
    assert not predictions.right[0]
    assert not predictions.wrong[0]


def test_a_zero_shot_run_has_no_training_images(tmp_path):
    outcome = read_outcome(Run.open(make_run(tmp_path / "run", n_classes=3, zeroshot=True)))
    assert np.isnan(outcome.classes.n_train).all()
    assert outcome.history == {}


def test_a_missing_column_is_named(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    write_csv(folder / "per_class.csv", ["class"], [["a"]])
    with pytest.raises(RunFormatError, match=r"per_class\.csv has no column 'n_train'"):
        read_outcome(Run.open(folder))


def test_text_where_a_number_belongs_is_named(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    write_csv(folder / "history.csv", ["epoch", "train_loss"], [[1, "none"]])
    with pytest.raises(RunFormatError, match=r"history\.csv, column 'train_loss'"):
        read_outcome(Run.open(folder))
