from __future__ import annotations

import numpy as np
import pytest
from make_run import NASTY, make_run

from fishembed._base.csv_files import write_csv
from fishembed.errors import RunFormatError
from fishembed.experiments import Run


def test_tables_become_arrays(tmp_path):
    run = Run.open(make_run(tmp_path / "run", n_classes=7, rows=200))
    result = run.result
    assert result.images.right.mean() == pytest.approx(run.metrics["accuracy"])
    assert result.classes.recall[result.classes.scored].mean() == pytest.approx(
        run.metrics["macro_recall"]
    )
    assert set(result.history) == {
        "epoch", "train_loss", "train_accuracy", "val_loss", "val_accuracy",
    }  # fmt: skip
    assert result.images.top.shape == (200, 5)


def test_names_that_look_alike_when_shown_stay_two_classes(tmp_path):
    result = Run.load(make_run(tmp_path / "run", names=["a\n", "a\\n"], rows=50))
    assert result.classes.names == ("a\\n", "a\\n")
    assert set(result.images.true.tolist()) == {0, 1}


def test_hostile_names_are_read_back(tmp_path):
    result = Run.load(make_run(tmp_path / "run", names=NASTY, rows=200))
    assert len(result.classes.names) == len(NASTY)
    assert (result.images.true >= 0).all()


def test_images_without_label_are_neither_right_nor_wrong(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    rows = [list(row.values()) for row in Run.open(folder).predictions]
    columns = list(Run.open(folder).predictions[0])
    rows[0][1] = ""
    write_csv(folder / "predictions.csv", columns, rows)
    images = Run.load(folder).images
    assert not images.labelled[0]
    assert not images.right[0]
    assert not images.wrong[0]


def test_a_zero_shot_run_has_no_training_images(tmp_path):
    result = Run.load(make_run(tmp_path / "run", n_classes=3, zeroshot=True))
    assert np.isnan(result.classes.n_train).all()
    assert result.history == {}


def test_a_missing_column_is_named(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    write_csv(folder / "per_class.csv", ["class"], [["a"]])
    with pytest.raises(RunFormatError, match=r"per_class\.csv has no column 'n_train'"):
        Run.load(folder)


def test_text_where_a_number_belongs_is_named(tmp_path):
    folder = make_run(tmp_path / "run", n_classes=3, rows=10)
    write_csv(folder / "history.csv", ["epoch", "train_loss"], [[1, "none"]])
    with pytest.raises(RunFormatError, match=r"history\.csv, column 'train_loss'"):
        Run.load(folder)
