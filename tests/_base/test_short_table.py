from __future__ import annotations

from fishembed._base.short_table import PrintsAsTable, ShortTable

NAME = "<b>\x1bcod & eel"


class Fish(PrintsAsTable):
    def _short_table(self):
        return ShortTable(f"fish {NAME}", ["species", "n"], [[NAME, "3"], ["x" * 90, "12"]])


def test_text_is_short_and_cannot_steer_a_terminal():
    text = str(Fish())
    assert text == repr(Fish())
    assert "\x1b" not in text
    assert max(map(len, text.split("\n"))) <= 60
    assert text.startswith("fish <b>")


def test_html_is_escaped():
    html = Fish()._repr_html_()
    assert "<b>" not in html
    assert html.count("&lt;b&gt;") == 2
    assert "\x1b" not in html
    assert html.startswith("<table>")


def test_a_table_of_nothing_is_its_title():
    assert ShortTable("nothing", [], []).text() == "nothing"
    assert "<tbody></tbody>" in ShortTable("nothing", [], []).html()
