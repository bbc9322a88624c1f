from __future__ import annotations

import numpy as np
import pytest
from make_run import make_run
from scipy.stats import binomtest

from fishembed._base.tables.csv_files import write_csv
from fishembed.errors import InputError
from fishembed.experiments import Run, compare_runs

TRUE = np.arange(300) % 5


def run(folder, name, **made):
    return make_run(folder / name, **({"n_classes": 5, "true": TRUE} | made))


def test_a_run_against_itself_is_no_different(tmp_path):
    one = run(tmp_path, "a", skill=1)
    (d,) = compare_runs([one, one]).differences
    assert (d.accuracy, d.macro_recall, d.gained, d.lost, d.p_value) == (0, 0, 0, 0, 1)
    low, high = d.accuracy_ci95  # that nothing changed on these images is no proof
    assert low == pytest.approx(-high)
    assert 0 < high < 0.05


def test_differences_are_those_of_the_scores(tmp_path):
    runs = [run(tmp_path, "a", skill=0.5), run(tmp_path, "b", skill=3, seed=1)]
    comparison = compare_runs(runs)
    before, after = (Run.open(r).metrics for r in runs)
    (d,) = comparison.differences
    assert d.accuracy == pytest.approx(after["accuracy"] - before["accuracy"])
    assert d.macro_recall == pytest.approx(after["macro_recall"] - before["macro_recall"])
    assert d.gained - d.lost == pytest.approx(d.accuracy * 300)
    assert d.p_value == pytest.approx(binomtest(d.gained, d.gained + d.lost).pvalue)
    assert d.accuracy_ci95[0] < d.accuracy < d.accuracy_ci95[1]
    assert d.macro_recall_ci95[0] < d.macro_recall < d.macro_recall_ci95[1]
    assert d.class_gains.mean() == pytest.approx(d.macro_recall)


def test_frames_of_one_fish_widen_the_intervals_and_weaken_the_test(tmp_path):
    alone = [run(tmp_path, "a", skill=1), run(tmp_path, "b", skill=2, seed=1)]
    tracks = [f"track {i // 5}" for i in range(300)]
    true = np.repeat(np.arange(60) % 5, 5)
    grouped = [
        run(tmp_path, name, skill=skill, seed=seed, true=true, groups=tracks)
        for name, skill, seed in (("c", 0.5, 0), ("d", 0.9, 1))
    ]
    for folder in grouped:
        _repeat_within_groups(folder)
    (free,), (tied,) = (compare_runs(runs).differences for runs in (alone, grouped))
    assert compare_runs(alone).n_groups is None
    assert compare_runs(grouped).n_groups == 60
    assert np.ptp(tied.accuracy_ci95) > 1.5 * np.ptp(free.accuracy_ci95)
    assert tied.p_value > binomtest(tied.gained, tied.gained + tied.lost).pvalue


def _repeat_within_groups(folder):
    """Call all frames of a track what its first frame was called."""
    rows = Run.open(folder).predictions
    for i, row in enumerate(rows):
        row["predicted"] = rows[i - i % 5]["predicted"]
    write_csv(folder / "predictions.csv", list(rows[0]), [list(row.values()) for row in rows])


def test_the_order_of_rows_does_not_matter(tmp_path):
    one, other = run(tmp_path, "a"), run(tmp_path, "b")
    rows = [list(row.values()) for row in Run.open(other).predictions]
    write_csv(other / "predictions.csv", list(Run.open(other).predictions[0]), rows[::-1])
    assert compare_runs([one, other]).differences[0].gained == 0


def test_runs_on_other_images_are_refused_by_name(tmp_path):
    one = run(tmp_path, "a")
    other = run(
        tmp_path, "b", paths=["0.png", *(f"{i:06d} of {c}.png" for i, c in enumerate(TRUE))][:300]
    )
    with pytest.raises(InputError, match=r"'a' and 'b' were scored on different images: 1 image"):
        compare_runs([one, other])


def test_runs_under_other_labels_are_refused_by_name(tmp_path):
    paths = [f"{i}.png" for i in range(300)]
    one, other = run(tmp_path, "a", paths=paths), run(tmp_path, "b", paths=paths, true=TRUE[::-1])
    with pytest.raises(InputError, match=r"'0.png' is 'species 000' in 'a' but 'species 004'"):
        compare_runs([one, other])


def test_one_run_is_not_compared(tmp_path):
    with pytest.raises(InputError, match="two runs or more, not 1"):
        compare_runs([run(tmp_path, "a")])
