from __future__ import annotations

import csv
import io
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fishembed._base.csv_files import (
    CsvTable,
    csv_bytes,
    csv_text,
    guarded,
    guess_delimiter,
    read_sep_line,
    records,
    unguarded,
    write_csv,
)
from fishembed.errors import ManifestError

ODD = st.text(st.sampled_from("a'=+-@\t\r\n\",; \0|\\19.é\ufeff\udcff"), max_size=6)
CELLS = st.one_of(ODD, st.text())
NAMES = st.one_of(CELLS, st.binary().map(os.fsdecode))


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(NAMES, NAMES), max_size=6))
def test_every_text_comes_back(tmp_path, rows):
    write_csv(tmp_path / "a.csv", ["path", "label"], rows)
    tables = [
        CsvTable(tmp_path / "a.csv", delimiter=",", utf8_only=True),
        CsvTable(tmp_path / "a.csv"),
    ]
    for table in tables:
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
    with pytest.raises(ManifestError, match=r"cannot read .*: No such file"):
        CsvTable(workspace / "none.csv", ManifestError)
    with pytest.raises(ManifestError, match="is a folder, not a file"):
        CsvTable(workspace, ManifestError)
    os.mkfifo(workspace / "pipe.csv")
    with pytest.raises(ManifestError, match="is a device or a pipe, not a file"):
        CsvTable(workspace / "pipe.csv", ManifestError)
    (workspace / "cut.csv").write_bytes("path\n".encode("utf-16")[:-1])
    with pytest.raises(ManifestError, match=r"UTF-16 text that is damaged .* save it as UTF-8"):
        CsvTable(workspace / "cut.csv", ManifestError)


def test_what_has_no_bounds_is_read(workspace):
    (workspace / "long.csv").write_text("path\n" + "x" * 200_000 + "\n")
    assert [len(row["path"]) for _, row in CsvTable(workspace / "long.csv")] == [200_000]
    (workspace / "empty.csv").touch()
    assert CsvTable(workspace / "empty.csv").columns == []


def test_bytes_that_are_no_text_are_latin_or_names(workspace):
    (workspace / "latin.csv").write_bytes(b"path\n\xe9\n")
    table = CsvTable(workspace / "latin.csv")
    assert list(table) == [(2, {"path": "é"})]
    assert "read as Windows-1252" in table.remarks()[0]
    assert list(CsvTable(workspace / "latin.csv", utf8_only=True)) == [(2, {"path": "\udce9"})]


def test_odd_rows_are_counted_and_named(workspace):
    (workspace / "a.csv").write_text("a,b\n1,2\n1\n1,2,3\n1\n")
    table = CsvTable(workspace / "a.csv", skip_bad_rows=True)
    assert [line for line, _ in table] == [2, 3, 5]
    assert [line for line, _ in table.bad_rows] == [4]
    short, bad = table.remarks()
    assert "2 rows have fewer cells than there are columns, the first in line 3" in short
    assert "1 row left out, the first: row 4 has more cells" in bad


def test_the_delimiter_that_a_table_names_is_no_row(workspace):
    (workspace / "a.csv").write_text("sep=;\na;b\n1;2,5\n")
    assert list(CsvTable(workspace / "a.csv")) == [(3, {"a": "1", "b": "2,5"})]


FORMULAS = [
    "=1+1",
    "+cmd",
    "-x",
    "@SUM(A1)",
    "\tx",
    "\rx",
    " =1",
    "＝1",
    "'=1",
    "''=1",
    "=HYPERLINK()",
]
PLAIN = ["cod", "'tHart", "-20.5", "+3", "-1e-5", "a=1", "", "'", "'-20.5"]


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text):
    row = csv_text(["a"], [[text]]).removeprefix("a\n").strip("\n").strip('"')
    assert row.startswith("'")
    assert unguarded(guarded(text)) == text


@pytest.mark.parametrize("text", PLAIN)
def test_other_cells_are_written_as_they_are(text):
    assert guarded(text) == text == unguarded(text)


def test_names_of_columns_are_no_formulas_either(workspace):
    write_csv(workspace / "a.csv", ["=a", "b"], [[1, 2]])
    assert (workspace / "a.csv").read_text() == "'=a,b\n1,2\n"
    assert CsvTable(workspace / "a.csv").columns == ["=a", "b"]


def test_numbers_are_no_formulas():
    assert csv_text(["a"], [[-0.5], [-3]]) == "a\n-0.5\n-3\n"


def test_a_mark_for_spreadsheets_where_they_need_it():
    assert csv_bytes(["a"], [["cod"]]) == b"a\ncod\n"
    assert csv_bytes(["a"], [["é"]]) == b"\xef\xbb\xbfa\n\xc3\xa9\n"


def test_half_a_letter_is_written_as_its_code(workspace):
    write_csv(workspace / "a.csv", ["a"], [["x\ud800"]])
    assert [row["a"] for _, row in CsvTable(workspace / "a.csv")] == ["x\\ud800"]


QUOTED = st.text(st.sampled_from('a",;\t|\r\n \\='), max_size=6)


def cells(text, delimiter=","):
    return [row for _, row in records(text, delimiter)]


@settings(max_examples=500)
@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(QUOTED, min_size=n, max_size=n))))
def test_what_the_csv_module_quotes_is_read_as_it_was(rows):
    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n").writerows(rows)
    assert cells(out.getvalue()) == rows


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_in_any_way_and_are_numbered(end):
    text = end.join(["a,b", '1,"x', 'y"', "", "2,z"])
    assert list(records(text, ",")) == [(1, ["a", "b"]), (3, ["1", f"x{end}y"]), (5, ["2", "z"])]


def test_lone_quotes_swallow_nothing():
    text = 'p\tl\n1\t"Gadus\n2\tx\n3\t"quoted"\n4\t5"\n5\t"a\nb"\n6\t"u'
    assert cells(text, "\t") == [
        ["p", "l"],
        ["1", '"Gadus'],
        ["2", "x"],
        ["3", "quoted"],
        ["4", '5"'],
        ["5", "a\nb"],
        ["6", '"u'],
    ]


@pytest.mark.parametrize("delimiter", [",", ";", "|", "\t"])
@pytest.mark.parametrize("last", ['"12 cm', '5"'], ids=["never closed", "closed later"])
def test_lone_quotes_in_any_dialect(delimiter, last):
    rows = [["p", "l", "n"], ["1", '"12 cm', "cod"], ["2", last, "eel"], ["3", "x", "eel"]]
    assert cells("\n".join(map(delimiter.join, rows)), delimiter) == rows


def test_a_quoted_cell_may_hold_lines_that_look_like_rows():
    text = 'path,label\n"x, ""y""\nz, u.jpg",cod\n"a, b\nc.jpg",eel\n'
    assert cells(text)[1:] == [['x, "y"\nz, u.jpg', "cod"], ["a, b\nc.jpg", "eel"]]
    notes = 'path,label,notes\na.jpg,cod,"seen near\nthe wall, with eel, and pike"\n'
    assert cells(notes)[1] == ["a.jpg", "cod", "seen near\nthe wall, with eel, and pike"]


def test_quotes_as_other_programs_write_them():
    assert cells('a,b\n1, "x, y"\n"2" ,"z"\n') == [["a", "b"], ["1", "x, y"], ["2", "z"]]
    assert cells('a,b\n1,"5\\" fish, \\"big\\""\n')[1] == ["1", '5" fish, "big"']  # R's default
    assert cells('a,b\n"C:\\photos\\",2\n')[1] == ["C:\\photos\\", "2"]


def test_a_line_may_be_as_long_as_it_likes():
    long = "x" * 1_000_000
    assert cells(f'{long},b\n"{long}",{long}\n') == [[long, "b"], [long, long]]


@pytest.mark.parametrize(
    ("text", "delimiter"),
    [
        ("path,label\na.jpg,cod", ","),
        ("path;label\na.jpg;cod, Atlantic", ";"),
        ("path\tlabel (en, de)\na.jpg\tcod, Dorsch\nb.jpg\teel", "\t"),
        ("path|label\na.jpg|cod", "|"),
        ('"a;b",c\n"d;e",f', ","),
        ("path\na, b.jpg", ","),
        ("path", ","),
        ("", ","),
    ],
)
def test_the_delimiter_is_told_by_most_lines(text, delimiter):
    assert guess_delimiter(text) == delimiter


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("sep=;\r\na;b", (";", 7)),
        ('"sep=,"\na', (",", 8)),
        ("SEP=\t\na", ("\t", 6)),
        ("sep=\\t\na", ("\t", 7)),
        ("sep=;;;\na", (";", 8)),
        ("separate,b\na", ("", 0)),
        ("a,b\nsep=;", ("", 0)),
    ],
)
def test_the_first_line_of_excel_names_the_delimiter(text, named):
    assert read_sep_line(text) == named
