from __future__ import annotations

import os

import openpyxl
import pytest
from PIL import Image

from fishembed.errors import InputError
from fishembed.experiments.predicting.image_folders import (
    folder_name,
    sort_into_folders,
    together,
    watch_folder,
)
from fishembed.experiments.predicting.predicted_images import (
    PEOPLE_COLUMNS,
    Prediction,
    Predictions,
    people_rows,
)
from fishembed.experiments.predicting.prediction_formats import write_predictions

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


def test_a_higher_taxon_is_as_sure_as_it_is_itself():
    gadus = Prediction("g.jpg", ("cod", "eel"), (0.55, 0.1), taxon=("genus", "Gadus", 0.97))
    cod = Prediction("c.jpg", ("cod", "eel"), (0.9, 0.1), taxon=("class", "cod", 0.9))
    rolled, plain = people_rows(Predictions((gadus, cod), ()))
    assert rolled[1:5] == ("Gadus", 97.0, "cod", "yes")
    assert plain[1:5] == ("cod", 90.0, "eel", "")


def test_the_csv_opens_in_excel_and_has_no_long_numbers(workspace):
    write_predictions(FOUND, workspace / "r.csv", "csv")
    raw = (workspace / "r.csv").read_bytes()
    assert raw.startswith(b"file,species,sure %,second guess,look at it?,problem,path")
    assert b"0.987654" in raw
    assert b"0.9876543" not in raw
    assert b"no image" in raw
    named = Predictions((Prediction("møre.jpg", ("torsk på bunn",), (2 / 3,)),), FOUND.skipped)
    write_predictions(named, workspace / "n.csv", "csv")
    assert (workspace / "n.csv").read_bytes().startswith("\ufefffile,".encode())
    assert "0.666667" in (workspace / "n.csv").read_text("utf-8-sig")


def test_every_table_has_a_row_for_a_photo_that_was_skipped(workspace):
    parquet = pytest.importorskip("pyarrow.parquet")
    write_predictions(FOUND, workspace / "r.parquet", "parquet")
    rows = parquet.read_table(workspace / "r.parquet").to_pylist()
    assert [row["problem"] for row in rows] == ["", "", "no image"]
    assert [row["file"] for row in rows] == ["=a.jpg", "b.jpg", "c.txt"]
    assert rows[0]["p1"] == 0.987654
    assert rows[2]["p1"] is None


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


def sorted_photos(folder):
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*.jpg"))


@pytest.mark.parametrize("links", [True, False])
def test_photos_of_one_name_get_numbers_and_nothing_is_overwritten(workspace, monkeypatch, links):
    def refused(*_):
        raise OSError("no links here")

    if not links:
        monkeypatch.setattr("pathlib.Path.symlink_to", refused)
    for k, home in enumerate(("a", "b")):
        (workspace / home).mkdir()
        Image.new("RGB", (4, 4), (99 * k, 0, 0)).save(workspace / home / "x.jpg")
    out = workspace / "out"
    (out / "cod").mkdir(parents=True)
    (out / "cod/x.jpg").write_bytes(b"somebody's own")
    found = Predictions(tuple(Prediction(f"{h}/x.jpg", ("cod",), (1.0,)) for h in "ab"), ())
    assert sort_into_folders(found, out) == 2
    assert sort_into_folders(found, out) == 0
    assert sorted_photos(out) == ["cod/x-2.jpg", "cod/x-3.jpg", "cod/x.jpg"]
    assert (out / "cod/x.jpg").read_bytes() == b"somebody's own"
    assert (out / "cod/x-3.jpg").read_bytes() == (workspace / "b/x.jpg").read_bytes()
    assert (out / "cod/x-3.jpg").is_symlink() is links


def test_classes_with_names_that_no_folder_can_have(workspace):
    names = ["a/b", "a:b", "..", "NUL", "Cod", "cod", "_problem", "x" * 300, "é" * 150]
    for k in range(len(names)):
        Image.new("RGB", (4, 4)).save(workspace / f"{k}.jpg")
    found = Predictions(
        tuple(Prediction(f"{k}.jpg", (name,), (1.0,)) for k, name in enumerate(names)), ()
    )
    assert sort_into_folders(found, workspace / "out") == len(names)
    homes = [path.name for path in (workspace / "out").iterdir()]
    assert len({home.casefold() for home in homes}) == len(names)
    assert {"a_b", "a_b-2", "_", "NUL_", "Cod", "cod-2", "_problem-2"} < set(homes)
    assert all(len(home.encode()) <= 255 for home in homes)


def test_pooled_photos_and_those_of_a_store_are_sorted_too(workspace):
    (workspace / "data").mkdir()
    for name in "xy":
        Image.new("RGB", (4, 4)).save(workspace / f"data/{name}.jpg")
    pooled = Prediction("x.jpg", ("cod",), (1.0,), pool="trip", paths=("x.jpg", "y.jpg"))
    found = Predictions((pooled,), ())
    assert sort_into_folders(found, workspace / "out", root=workspace / "data") == 2
    assert sorted_photos(workspace / "out") == ["cod/x.jpg", "cod/y.jpg"]


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
