from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fishembed._base.csv_records import guess_delimiter, read_sep_line, records

ODD = st.text(st.sampled_from('a",;\t|\r\n \\='), max_size=6)


def cells(text, delimiter=","):
    return [row for _, row in records(text, delimiter)]


@settings(max_examples=500)
@given(st.integers(1, 3).flatmap(lambda n: st.lists(st.lists(ODD, min_size=n, max_size=n))))
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
