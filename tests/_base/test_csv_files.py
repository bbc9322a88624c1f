from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fishembed._base.csv_files import CsvTable, csv_text, write_csv
from fishembed.errors import InputError, ManifestError

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
NAMES = st.one_of(CELLS, st.binary().map(lambda raw: os.fsdecode(raw.replace(b"\0", b""))))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, NAMES), max_size=6))
def test_every_text_comes_back(tmp_path, rows):
    write_csv(tmp_path / "a.csv", ["path", "label"], rows)
    table = CsvTable(tmp_path / "a.csv", delimiter=",", keep_invalid=True)
    assert [(row["path"], row["label"]) for _, row in table] == rows


@pytest.mark.parametrize("text", ["a\rb", "\r", "a\r\nb", "\n", '"', ",", " x "])
def test_odd_cells_come_back_alone(tmp_path, text):
    write_csv(tmp_path / "a.csv", ["path"], [[text], ["next"]])
    assert [row["path"] for _, row in CsvTable(tmp_path / "a.csv")] == [text, "next"]


def test_what_is_written_is_plain_where_it_can_be():
    assert csv_text(["a", "b"], [[1, None], [0.5, "x,y"]]) == 'a,b\n1,\n0.5,"x,y"\n'


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_spreadsheets_dialects_are_read(workspace, delimiter, mark):
    lines = [" path ", "label"], ["a.png", "cod"], ["b.png"]
    text = mark + "\r\n".join(delimiter.join(cells) for cells in lines)
    (workspace / "a.csv").write_bytes(text.encode())
    table = CsvTable(workspace / "a.csv")
    assert table.columns == ["path", "label"]
    assert list(table) == [
        (2, {"path": "a.png", "label": "cod"}),
        (3, {"path": "b.png", "label": ""}),
    ]


def test_extra_cells_are_an_error_unless_they_are_empty(workspace):
    (workspace / "a.csv").write_text("path\na.png,,\nb.png,x\n")
    rows = iter(CsvTable(workspace / "a.csv", ManifestError))
    assert next(rows) == (2, {"path": "a.png"})
    with pytest.raises(ManifestError, match=r"row 3 has more cells than there are columns \(1\)"):
        next(rows)


def test_files_that_cannot_be_read_raise_the_error_named(workspace):
    (workspace / "latin.csv").write_bytes(b"path\n\xe9\n")
    with pytest.raises(ManifestError, match="is not UTF-8 text"):
        CsvTable(workspace / "latin.csv", ManifestError)
    assert list(CsvTable(workspace / "latin.csv", keep_invalid=True)) == [(2, {"path": "\udce9"})]
    with pytest.raises(InputError, match=r"cannot read .*: No such file"):
        CsvTable(workspace / "none.csv")
    (workspace / "long.csv").write_text("path\n" + "x" * 200_000 + "\n")
    with pytest.raises(InputError, match="field larger"):
        list(CsvTable(workspace / "long.csv"))
    (workspace / "empty.csv").touch()
    assert CsvTable(workspace / "empty.csv").columns == []
