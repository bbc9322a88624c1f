from __future__ import annotations

import pytest

from fishembed.cli.terminal_tables import fitted

COLUMNS = ["species", "found %", "right %", "seconds"]
ROWS = [["Plectroglyphidodon dickii", "91.0", "88.1", "3.5"], ["ハゼ", "1.0", "2.0", "0.1"]]


def widest(lines):
    from rich.cells import cell_len

    return max(map(cell_len, lines))


def test_a_table_without_a_limit_is_whole():
    lines = fitted(COLUMNS, ROWS, spare=["seconds"])
    assert lines[0].split() == ["species", "found", "%", "right", "%", "seconds"]
    assert "Plectroglyphidodon dickii" in lines[1]


@pytest.mark.parametrize("width", [60, 50, 45, 40, 32])
def test_a_table_fits_its_width(width):
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=width)
    assert widest(lines) <= width
    assert lines[0].startswith("species")


def test_spare_columns_go_before_names_are_cut():
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=45)
    assert "seconds" not in lines[0]
    assert "Plectroglyphidodon dickii" in lines[1]
    lines = fitted(COLUMNS, ROWS, spare=["seconds"], width=35)
    assert "Plectrog" in lines[1]
    assert "dickii" in lines[1]
    assert "…" in lines[1]


def test_what_cannot_be_cut_stays():
    assert fitted(["a", "b"], [["x", "1" * 30]], width=10)[1].endswith("1" * 30)
