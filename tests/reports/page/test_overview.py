"""The first screen of a report, in words and figures."""

from __future__ import annotations

import numpy as np
import pytest
from make_run import make_run

from fishembed import Run
from fishembed.reports.page.overview import (
    failing_most,
    headline,
    key_figures,
    trust_answers,
    trust_facts,
)


def result(tmp_path, **made):
    return Run.open(make_run(tmp_path / "run", **made)).result


LONG = [f"The long-nosed spotted reef dweller of bay {i}, juvenile form" for i in range(4)]


@pytest.mark.parametrize(
    "names",
    [["cod", "eel", "ray"], [f"Genus species{i}" for i in range(5)], LONG, ["9", "72", "1"],
     ["a" * 200, "b" * 200], [" ".join("w" * 40), "x"]],
)  # fmt: skip
@pytest.mark.parametrize("skill", [-5, 0.5, 9])
def test_the_sentence_has_at_most_fifteen_words(tmp_path, names, skill):
    said = headline(result(tmp_path, names=names, rows=200, skill=skill))
    assert len(said.split()) <= 15
    assert said.endswith(".")


def test_the_sentence_names_the_species_that_fails_most_and_what_it_is_taken_for(tmp_path):
    found = result(tmp_path, n_classes=6, rows=300, skill=1)
    worst = failing_most(found.classes)
    taken = int(np.delete(found.confusion[worst], worst).argmax())
    taken += taken >= worst
    said = headline(found)
    assert f"{found.classes.names[worst]} fails most, taken for " in said
    assert found.confusion[worst, taken] == np.delete(found.confusion[worst], worst).max()


def test_one_photo_does_not_make_a_species_fail_most(tmp_path):
    true = np.array([0] * 30 + [1] * 30 + [2])
    found = result(tmp_path, names=["cod", "eel", "ray"], true=true, skill=-3)
    assert found.classes.n[failing_most(found.classes)] >= 5
    order = found.classes.worst_first
    assert [found.classes.recall[i] for i in order] == sorted(found.classes.recall.tolist())


def test_three_figures_with_intervals_and_what_guessing_reaches(tmp_path):
    found = result(tmp_path, n_classes=6, rows=300, skill=1)
    figures = key_figures(found)
    assert [figure.name.split(" (")[0] for figure in figures] == [
        "Share right", "Average over species", "Worst false alarm",
    ]  # fmt: skip
    for figure in figures:
        low, high = figure.ends
        assert low <= figure.at <= high
    metrics = found.metrics
    assert figures[0].guess_at == figures[2].guess_at == metrics["majority_accuracy"]
    assert figures[1].guess_at == metrics["majority_macro_recall"]
    assert figures[2].at == pytest.approx(metrics["worst_precision"]["precision"])
    assert figures[2].ends == pytest.approx(tuple(metrics["worst_precision"]["precision_ci95"]))


def test_every_name_is_answered_with_its_figures(tmp_path):
    found = result(tmp_path, n_classes=6, rows=300, skill=2)
    table, answers = found.classes, {one.name: one for one in trust_answers(found)}
    assert list(answers) == sorted(answers)
    for i, name in enumerate(table.names):
        if table.predicted[i]:
            assert (
                f"ight {table.correct[i]} of the {table.predicted[i]} time" in answers[name].words
            )
        else:
            assert answers[name].summary == "It never says so."


def test_a_name_that_is_surely_right_is_trusted_and_one_that_is_surely_wrong_is_not(tmp_path):
    true = np.array([0] * 400 + [1] * 60)
    found = result(tmp_path, names=["cod", "eel"], true=true, skill=12)
    assert {one.summary for one in trust_answers(found)} <= {"Yes.", "Probably."}
    wrong = result(tmp_path / "b", names=["cod", "eel"], true=true, skill=-20)
    assert "No." in {one.summary for one in trust_answers(wrong)}


def test_what_it_rests_on(tmp_path):
    found = result(tmp_path, n_classes=4, rows=60, groups=[f"t{i // 3}" for i in range(60)])
    said = "; ".join(trust_facts(found))
    assert "scored on 60 test photos it never saw" in said
    assert "20 groups" in said
    assert "near-identical photos were not looked for" in said
    assert "training photos per species" in said
    again = result(tmp_path / "b", n_classes=4, rows=60, zeroshot=True)
    assert "nothing was learnt from photos" in "; ".join(trust_facts(again))
