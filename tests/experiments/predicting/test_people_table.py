from __future__ import annotations

import os

import openpyxl
import pytest
from PIL import Image

from fishembed.errors import InputError
from fishembed.experiments.predicting.people_table import PEOPLE_COLUMNS
from fishembed.experiments.predicting.prediction import Prediction, Predictions
from fishembed.experiments.predicting.prediction_formats import write_predictions
from fishembed.experiments.predicting.sort_into import folder_name, sort_into_folders
from fishembed.experiments.predicting.watching import together, watch_folder

FOUND = Predictions(
    (
        Prediction("=a.jpg", ("cod", "eel"), (0.987654321, 0.0123)),
        Prediction("b.jpg", ("eel", "cod"), (0.51, 0.49)),
    ),
    (("c.txt", "no image"),),
)


def test_the_workbook_is_what_a_person_reads(workspace):
    write_predictions(FOUND, workspace / "r.xlsx", "xlsx")
    sheet = openpyxl.load_workbook(workspace / "r.xlsx").active
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert rows[0] == list(PEOPLE_COLUMNS)
    assert rows[1] == ["=a.jpg", "cod", 98.8, "eel", None, None]
    assert rows[2] == ["b.jpg", "eel", 51, "cod", "yes", None]
    assert rows[3] == ["c.txt", None, None, None, "yes", "no image"]
    assert sheet["A2"].data_type == "s"


def test_the_csv_opens_in_excel_and_has_no_long_numbers(workspace):
    write_predictions(FOUND, workspace / "r.csv", "csv")
    raw = (workspace / "r.csv").read_bytes()
    assert raw.startswith(b"file,species,sure %,second guess,look at it?,problem,path")
    assert b"0.987654" in raw
    assert b"0.9876543" not in raw
    assert b"no image" in raw


def test_images_are_sorted_into_folders_once(workspace):
    for name in ("x.jpg", "y.jpg"):
        Image.new("RGB", (4, 4)).save(workspace / name)
    found = Predictions((Prediction("x.jpg", ("../cod",), (1.0,)),), (("y.jpg", "broken"),))
    assert sort_into_folders(found, workspace / "out") == 2
    assert sort_into_folders(found, workspace / "out") == 0
    inside = sorted(
        os.fspath(p.relative_to(workspace / "out")) for p in (workspace / "out").rglob("*.jpg")
    )
    assert inside == ["_cod/x.jpg", "_problem/y.jpg"]
    assert folder_name("..\\..") == "_.." or ".." not in folder_name("..\\..").split("_")
    with pytest.raises(InputError, match="no file here"):
        sort_into_folders(FOUND, workspace / "out")


def test_a_watched_folder_goes_on_with_what_is_complete(workspace):
    folder = workspace / "in"
    folder.mkdir()
    steps = []

    def wait(_):
        steps.append(len(steps))
        if len(steps) == 1:
            Image.new("RGB", (4, 4)).save(folder / "a.jpg")
        if len(steps) == 4:
            Image.new("RGB", (4, 4)).save(folder / "b.jpg")

    def classify(files):
        return Predictions(tuple(Prediction(p.name, ("cod",), (1.0,)) for p in files), ())

    arrived = watch_folder(classify, folder, wait=wait)
    first, second = next(arrived), next(arrived)
    assert [one.path for one in first.predictions] == ["a.jpg"]
    assert [one.path for one in together(first, second).predictions] == ["a.jpg", "b.jpg"]
    with pytest.raises(InputError, match="no folder"):
        next(watch_folder(classify, workspace / "none"))
