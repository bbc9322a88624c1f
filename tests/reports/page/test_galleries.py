"""Which photos a report shows."""

from __future__ import annotations

import numpy as np
from make_run import make_run

from fishembed import Run
from fishembed.reports.page.galleries import (
    WORST,
    cell_rows,
    least_sure,
    mix_ups,
    surest_mistakes,
)


def result(tmp_path, **made):
    made = {"n_classes": 6, "rows": 400, "skill": 1} | made
    return Run.open(make_run(tmp_path / "run", **made)).result


def test_the_first_mistakes_are_of_different_pairs_and_groups(tmp_path):
    found = result(tmp_path, groups=[f"t{i // 8}" for i in range(400)])
    rows = surest_mistakes(found)
    images = found.images
    pairs = [(images.true[row], images.predicted[row]) for row in rows[:WORST]]
    assert len(set(pairs)) == WORST
    assert all(images.wrong[row] for row in rows)
    assert len({images.groups[row] for row in rows}) == len(rows)


def test_mix_ups_come_by_their_share_of_the_species_with_one_photo_of_each_group(tmp_path):
    found = result(tmp_path, groups=[f"t{i // 8}" for i in range(400)])
    shown = mix_ups(found)
    shares = [one.pair.count / one.pair.total for one in shown]
    assert shares == sorted(shares, reverse=True)
    images = found.images
    for one in shown:
        groups = [images.groups[row] for row in one.mixed_up]
        assert len(set(groups)) == len(groups) <= 3
        for row in one.mixed_up:
            assert (images.true[row], images.predicted[row]) == (one.pair.true, one.pair.predicted)
        assert all(images.right[row] for row in (*one.true_right, *one.called_right))


def test_every_cell_gets_a_photo_before_any_gets_a_second(tmp_path):
    found = result(tmp_path)
    rows = cell_rows(found)
    images = found.images
    cells = [(int(images.true[row]), int(images.predicted[row])) for row in rows]
    n_cells = int(np.count_nonzero(found.confusion))
    assert len(set(cells[:n_cells])) == n_cells
    assert len(rows) == len(set(rows)) <= 300


def test_photos_at_hand_are_taken_first(tmp_path):
    found = result(tmp_path)
    at_hand = set(range(0, 400, 2))
    rows = cell_rows(found, at_hand)
    n_cells = int(np.count_nonzero(found.confusion))
    images = found.images
    for row in rows[:n_cells]:
        same = (images.true == images.true[row]) & (images.predicted == images.predicted[row])
        if row not in at_hand:
            assert not at_hand & set(np.flatnonzero(same).tolist())


def test_without_a_mistake_the_least_sure_answers_are_shown(tmp_path):
    found = result(tmp_path, skill=40)
    assert surest_mistakes(found) == []
    rows = least_sure(found)
    sure = found.images.confidence
    assert len(rows) == WORST
    assert sure[rows].max() <= np.sort(sure)[WORST - 1] + 1e-12
