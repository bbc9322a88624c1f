from __future__ import annotations

from fishembed.evaluation.by_value import score_by_value


def test_the_most_surely_bad_value_stands_first_and_small_ones_are_pooled():
    values = ["a"] * 40 + ["b"] * 40 + ["c"] * 3 + [""] * 2
    right = [True] * 36 + [False] * 4 + [True] * 20 + [False] * 20 + [False] * 5
    rows = score_by_value(values, [0, 1] * 42 + [0], right)
    assert [(row.value, row.pooled, row.n) for row in rows] == [
        ("b", 1, 40),
        ("a", 1, 40),
        ("2 values with few images", 2, 5),
    ]
    assert rows[0].accuracy_ci95[0] < 0.5 < rows[0].accuracy_ci95[1]


def test_groups_widen_the_intervals():
    right = ([True] * 10 + [False] * 10) * 3
    alone = score_by_value(["x"] * 60, [0] * 60, right)[0]
    together = score_by_value(["x"] * 60, [0] * 60, right, [i // 10 for i in range(60)])[0]
    assert together.n_groups == 6
    assert together.accuracy_ci95[0] < alone.accuracy_ci95[0]
