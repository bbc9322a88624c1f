from __future__ import annotations

import numpy as np
import pytest

from fishembed.evaluation.taxonomy import Taxonomy, roll_up, taxonomy_scores

TAXA = Taxonomy(
    ("kasmira", "gibbus", "cod", "eel"),
    ("genus", "family"),
    (("Lutjanus", "Lutjanus", "Gadus", ""), ("Lutjanidae", "Lutjanidae", "Gadidae", "Muraenidae")),
)


def test_parents_are_sums_of_their_children():
    p = np.array([[0.4, 0.3, 0.2, 0.1]])
    assert TAXA.sums(p, 1)[0].tolist() == pytest.approx([0.7, 0.2, 0.1])
    assert TAXA.sums(p, 3)[0].tolist() == pytest.approx([1.0])


def test_the_answer_is_the_deepest_rank_that_is_sure():
    p = np.array([[0.95, 0.02, 0.02, 0.01], [0.5, 0.46, 0.03, 0.01], [0.3, 0.3, 0.3, 0.1]])
    found = roll_up(TAXA, p, 0.9)
    assert found.level.tolist() == [0, 1, 3]
    names = [TAXA.taxon_name(k, t) for k, t in zip(found.level, found.taxon, strict=True)]
    assert names == ["kasmira", "Lutjanus sp.", "any"]


def test_mistakes_are_split_by_what_they_share():
    true = np.array([0, 0, 2, 3])
    p = np.eye(4)[[0, 1, 3, 3]]
    scores = taxonomy_scores(TAXA, true, p)
    assert [row.rank for row in scores.ranks] == ["class", "genus", "family"]
    assert [row.accuracy for row in scores.ranks] == [0.5, 0.75, 0.75]
    assert scores.mistakes == {"same genus": 1, "same family": 0, "farther": 1}


def test_a_roll_up_cannot_hide_behind_the_root():
    p = np.full((3, 4), 0.25)
    scores = taxonomy_scores(TAXA, np.array([0, 1, 2]), p, floor=0.99)
    assert (scores.precision, scores.information) == (1.0, 0.0)
    assert scores.answered_at["any"] == 3
