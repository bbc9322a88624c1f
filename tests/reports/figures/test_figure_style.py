from __future__ import annotations

import warnings

import pytest
from make_run import NASTY, make_run
from message_log import MessageLog

from fishembed import Run
from fishembed.reports import write_report
from fishembed.reports.figures import figure_style
from fishembed.reports.figures.figure_style import render
from fishembed.reports.figures.score_figures import draw_per_class

UNKNOWN = "鱼, which matplotlib's own font has not"


def test_latin_needs_no_search():
    assert figure_style.families(["cod", "Łosoś", "δέλτα"]) == [figure_style.FIRST]
    assert figure_style.undrawn(["cod", "Łosoś", "δέλτα"]) == []


@pytest.fixture
def no_fonts(monkeypatch):
    monkeypatch.setattr(figure_style, "_installed", lambda: ())


def test_what_cannot_be_drawn_is_numbered(no_fonts):
    names = ["cod", UNKNOWN, "eel"]
    assert figure_style.figure_names(names) == ["cod", "class 2", "eel"]
    note = figure_style.undrawn_note(names)
    assert "1 class name" in note
    assert "number them as per_class.csv does" in note
    assert figure_style.undrawn_note(["cod"]) == ""


def test_a_font_that_has_the_letters_is_chosen(monkeypatch):
    alphabets = {
        figure_style.FIRST: "abc",
        "Noto Sans Bengali": "ইলিশ",
        "Arial": "x",
        "Noto Sans CJK": "鱼",
    }
    monkeypatch.setattr(figure_style, "_letters", lambda family: frozenset(alphabets[family]))
    monkeypatch.setattr(figure_style, "_installed", lambda: tuple(list(alphabets)[1:]))
    monkeypatch.setattr(figure_style, "_shapes", lambda: True)
    assert figure_style.families(["abc", "ইলিশ", "鱼"]) == [
        figure_style.FIRST,
        "Noto Sans Bengali",
        "Noto Sans CJK",
    ]
    assert figure_style.undrawn(["abc", "ইলিশ", "鱼", "魚"]) == [3]


@pytest.mark.parametrize("name", ["سمك المهرج", "ইলিশ", "ปลา่"])
def test_letters_that_join_need_a_matplotlib_that_joins_them(monkeypatch, name):
    monkeypatch.setattr(figure_style, "_letters", lambda family: frozenset(name))
    monkeypatch.setattr(figure_style, "_shapes", lambda: False)
    expected = [] if name.startswith("ป") else [0]
    assert figure_style.undrawn([name]) == expected


def test_the_box_of_last_resort_is_no_letter():
    assert not any(name.startswith("Last Resort") for name in figure_style._installed())


def test_figures_neither_warn_nor_show_boxes(tmp_path, no_fonts):
    run = Run.open(make_run(tmp_path / "run", names=["cod", UNKNOWN], rows=20))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        svg = render(draw_per_class(run.result.classes), "svg")
    assert b"class 2" in svg
    assert "鱼".encode() not in svg


def test_the_report_says_it_once(tmp_path, no_fonts):
    log = MessageLog()
    write_report(make_run(tmp_path / "run", names=[*NASTY, UNKNOWN], rows=200), progress=log)
    assert sum("No font here" in message for message in log.messages) == 1
    log.messages.clear()
    write_report(tmp_path / "run", formats=["html"], progress=log)
    assert not any("No font here" in message for message in log.messages)
