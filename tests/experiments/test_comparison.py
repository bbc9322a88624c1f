from __future__ import annotations

import numpy as np
import pytest
from make_run import make_run
from scipy.stats import binomtest

from fishembed._base.csv_files import write_csv
from fishembed.errors import InputError
from fishembed.evaluation.paired import holm
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


def test_runs_on_other_images_are_compared_on_those_they_share(tmp_path):
    one = run(tmp_path, "a")
    paths = ["0.png", *(f"{i:06d} of {c}.png" for i, c in enumerate(TRUE))][:300]
    found = compare_runs([one, run(tmp_path, "b", paths=paths, true=np.roll(TRUE, 1))])
    assert len(found.paths) == 299
    assert [entry.scored for entry in found.entries] == [300, 300]
    assert "on the 299 that they share" in found.notes[0]


def test_runs_without_a_common_image_are_refused_by_name(tmp_path):
    other = run(tmp_path, "b", paths=[f"other/{i}.png" for i in range(300)])
    with pytest.raises(InputError, match=r"'a' 300 images, such as .*'b' 300 images.*other/0"):
        compare_runs([run(tmp_path, "a"), other])


def test_all_pairs_are_tested_and_corrected_for_their_number(tmp_path):
    runs = [run(tmp_path, str(s), skill=0.3 + 0.3 * s, seed=s) for s in range(4)]
    found = compare_runs(runs)
    assert len(found.differences) == 6
    raw = np.array([d.p_value for d in found.differences])
    assert [d.p_holm for d in found.differences] == pytest.approx(holm(raw).tolist())
    assert all(d.p_holm >= d.p_value for d in found.differences)
    assert found.entries[found.best_first[0]].macro_recall == max(
        entry.macro_recall for entry in found.entries
    )
    d = found.difference(3, 0)
    back = found.difference(0, 3)
    assert (d.accuracy, d.gained, d.accuracy_ci95[0]) == (
        -back.accuracy, back.lost, -back.accuracy_ci95[1],
    )  # fmt: skip
    assert d.accuracy == pytest.approx(found.entries[3].accuracy - found.entries[0].accuracy)


def test_without_a_difference_few_pairs_are_called_real(tmp_path):
    real = 0
    for trial in range(30):
        runs = [run(tmp_path / str(trial), str(s), skill=1, seed=9 * trial + s) for s in range(4)]
        real += any(d.real for d in compare_runs(runs).differences)
    assert real <= 6  # twice 5% of 30, for two metrics, and what chance adds


def test_scores_are_those_of_the_runs(tmp_path):
    folder = run(tmp_path, "a", skill=1)
    entry = compare_runs([folder, folder]).entries[0]
    metrics = Run.open(folder).metrics
    assert entry.accuracy == pytest.approx(metrics["accuracy"])
    assert entry.macro_recall == pytest.approx(metrics["macro_recall"])
    assert entry.accuracy_ci95 == pytest.approx(metrics["accuracy_ci95"])
    assert entry.macro_recall_ci95 == pytest.approx(metrics["macro_recall_ci95"])


def test_boxes_answer_for_their_photo(tmp_path):
    photos = [f"{i}.jpg" for i in range(100)]
    true = np.arange(100) % 5
    boxes = [f"{p}#xywh={k},0,5,5" for p in photos for k in (0, 9)]
    crops = run(tmp_path, "crops", paths=boxes, true=true.repeat(2), skill=3)
    found = compare_runs([run(tmp_path, "whole", paths=photos, true=true, skill=1), crops])
    assert found.paths == tuple(photos)
    assert "crops identified boxes" in found.notes[0]
    rows = Run.open(crops).predictions
    for i in range(100):
        total = {}
        for row in rows[2 * i : 2 * i + 2]:
            for k in range(1, 6):
                total[row[f"top{k}"]] = total.get(row[f"top{k}"], 0) + float(row[f"p{k}"])
        assert found.entries[1].predicted[0][i] == max(total, key=total.get)


def test_photos_of_several_species_are_left_out_and_counted(tmp_path):
    boxes = ["0.jpg#xywh=0,0,5,5", "0.jpg#xywh=9,0,5,5", "1.jpg#xywh=0,0,5,5", "2.jpg#xywh=0,0,5,5"]
    crops = run(tmp_path, "crops", paths=boxes, true=np.array([0, 1, 2, 3]))
    whole = run(tmp_path, "whole", paths=["0.jpg", "1.jpg", "2.jpg"], true=np.array([0, 2, 3]))
    found = compare_runs([whole, crops])
    assert found.paths == ("1.jpg", "2.jpg")
    assert "1 photo with boxes of several classes left out" in " ".join(found.notes)


def test_what_learnt_from_its_test_is_said_to(tmp_path):
    one = run(tmp_path, "a", split="train")
    assert "a was scored on images that it learnt from" in compare_runs([one, one]).notes[0]


def test_runs_under_other_labels_are_refused_by_name(tmp_path):
    paths = [f"{i}.png" for i in range(300)]
    one, other = run(tmp_path, "a", paths=paths), run(tmp_path, "b", paths=paths, true=TRUE[::-1])
    with pytest.raises(InputError, match=r"'0.png' is 'species 000' in 'a' but 'species 004'"):
        compare_runs([one, other])


def test_one_run_is_not_compared(tmp_path):
    with pytest.raises(InputError, match="two runs or more, not 1"):
        compare_runs([run(tmp_path, "a")])
