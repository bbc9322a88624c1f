"""The shell is offered heads, runs and stores."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fishembed.cli.program.options import head_names, run_names, store_names


@pytest.fixture
def names(workspace):
    for file in ("cache/fish.h5", "cache/trip.json", "cache/.hidden.h5", "cache/notes.txt"):
        Path(file).parent.mkdir(exist_ok=True)
        Path(file).write_text("")
    for run in ("fish-auto", "fish-knn"):
        Path("reports", run).mkdir(parents=True)
        Path("reports", run, "run.json").write_text("{}")


def test_names_that_begin_so(names):
    assert store_names("") == ["fish", "trip"]
    assert store_names("t") == ["trip"]
    assert run_names("fish-a") == ["fish-auto"]
    assert head_names("text-") == ["text-anchored", "text-logistic"]


def test_without_folders_nothing_is_offered(workspace, monkeypatch):
    assert store_names("") == run_names("") == []
    monkeypatch.setenv("FISHEMBED_CACHE", "s3://bucket/cache")
    assert store_names("") == []


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("fishembed fit ", {"fish", "trip"}),
        ("fishembed fit --head tex", {"text-anchored", "text-logistic"}),
        ("fishembed report ", {"fish-auto", "fish-knn"}),
        ("fishembed predict fish-a", {"fish-auto"}),
        ("fishembed audit --run ", {"fish-auto", "fish-knn"}),
        ("fishembed merge ", {"fish", "trip"}),
        ("fishembed comp", {"compare"}),
    ],
)
def test_the_program_answers_the_shell(names, words, offered):
    environment = {
        **os.environ,
        "_FISHEMBED_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split(" ")) - 1),
    }
    program = "import sys; sys.argv[0] = 'fishembed'; from fishembed.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert set(done.stdout.split()) == offered, done.stderr
