from __future__ import annotations

from make_run import make_run

from fishembed.experiments import compare_runs
from fishembed.reports.text_tables import comparison_table


def test_a_comparison_has_a_row_for_each_run(tmp_path):
    runs = [make_run(tmp_path / name, n_classes=5, rows=300) for name in "abc"]
    columns, rows = comparison_table(compare_runs(runs))
    assert [row[0] for row in rows] == ["a", "b", "c"]
    assert {len(row) for row in rows} == {len(columns)}
