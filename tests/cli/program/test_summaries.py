"""What the console prints of a run."""

from __future__ import annotations

import numpy as np
from make_run import NASTY, make_run

from fishembed import Run
from fishembed.cli.program.console import Console
from fishembed.cli.program.output import aligned
from fishembed.cli.program.summaries import print_scores


def printed(capsys, folder, **made):
    print_scores(Console(as_json=False), Run.open(make_run(folder / "run", **made)))
    return capsys.readouterr().out.splitlines()


def test_the_worst_classes_and_pairs_follow_the_scores(capsys, tmp_path):
    lines = printed(capsys, tmp_path, n_classes=12, rows=300, skill=1)
    assert "of 300 test images right" in lines[0]
    assert "Always guessing species 000 would be right for" in lines[1]
    classes, pairs = lines[4:9], lines[11:14]
    assert lines[3].split("  ")[1] == "lowest recall"
    assert lines[10].split() == ["largest", "mix-ups", "called", "images"]
    shares = [float(line.split()[2]) for line in classes]
    assert shares == sorted(shares)
    counts = [int(line.split()[-3]) for line in pairs]
    assert counts == sorted(counts, reverse=True)
    assert len({len(line) for line in lines[3:9]}) == 1


def test_without_mistakes_the_scores_is_enough(capsys, tmp_path):
    first, second = printed(capsys, tmp_path, n_classes=1, rows=20)
    assert first.startswith("100.0% of 20")
    assert second.startswith("Always guessing species 000 would be right for 100.0%")


def test_zero_shot_has_no_training_counts(capsys, tmp_path):
    lines = printed(capsys, tmp_path, n_classes=12, zeroshot=True)
    assert "lowest recall" in lines[3]
    assert "trained on" not in lines[3]


def test_names_stay_on_their_line(capsys, tmp_path):
    lines = printed(capsys, tmp_path, names=NASTY, true=np.arange(240) % len(NASTY), skill=0.5)
    assert len(lines) == 15
    assert max(map(len, lines[3:])) < 100


def test_wide_letters_keep_columns_aligned():
    head, wide, narrow = aligned(["class", "n"], [["カクレクマノミ", "1"], ["cod", "22"]])
    assert (head, wide, narrow) == (
        "class            n",
        "カクレクマノミ   1",
        "cod             22",
    )
