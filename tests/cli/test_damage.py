"""Flipped bytes and cut ends: every verb that reads says so, or answers as if nothing were.

With FISHEMBED_ALL_FAULTS=1 each kind of file is damaged 700 times, which takes an hour.
"""

from __future__ import annotations

import os
import subprocess
import sys

import damaged_files
import pytest

pytestmark = pytest.mark.slow

FLIPS, CUTS = (500, 200) if os.environ.get("FISHEMBED_ALL_FAULTS") else (2, 1)


ALONE = "FISHEMBED_DAMAGE_ALONE"
in_its_own_process = pytest.mark.skipif(
    ALONE not in os.environ, reason="test_damage_in_a_process_of_its_own runs it"
)


@pytest.mark.skipif(ALONE in os.environ, reason="this is that process")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_damage_in_a_process_of_its_own():
    """Run the other tests where forks are safe: OpenMP with one thread, no earlier test's threads.

    libgomp stands still in a fork of a process that has used its threads, as k-means does.
    """
    env = {key: text for key, text in os.environ.items() if not key.startswith("PYTEST_")}
    command = [sys.executable, "-m", "pytest", "-q", "-s", "-p", "no:cacheprovider", __file__]
    done = subprocess.run(
        command,
        env=env | {ALONE: "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    sys.stdout.write(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "5 passed" in done.stdout


@pytest.fixture(scope="module")
def before(tmp_path_factory):
    folder = damaged_files.workspace_to_damage(tmp_path_factory.mktemp("damage") / "before")
    damaged_files.warm(folder)
    return folder


@in_its_own_process
@pytest.mark.parametrize("name", ["store", "index", "head", "run"])
def test_damage_is_said_or_changes_nothing(before, name):
    counts, faults = damaged_files.check(before, name, FLIPS, CUTS)
    sys.stdout.write(f"{name}: {FLIPS} flips, {CUTS} cuts\n{damaged_files.table(counts)}")
    assert faults == []
    # Were nothing ever noticed, nothing would have been read.
    noticed = {verb for verb, one in counts.items() if one["error"] or one["said"]}
    assert len(noticed) > 2


@in_its_own_process
def test_the_harness_tells_a_changed_answer(before):
    """Change a file that has no checksum, as a person may: the answers differ in silence."""
    kind = damaged_files.Kind(("fix.csv",), damaged_files.STORE_VERBS, {"STORE": "a.h5"})
    whole = damaged_files.answers(before, kind, ["fix"])
    changed = damaged_files.answers(
        before, kind, ["fix"], "fix.csv", b"path,action,new_label\nphotos/6.png,drop,\n"
    )
    assert damaged_files.verdict(whole["fix"], changed["fix"]) == "DIFFERENT"
    assert damaged_files.verdict(whole["fix"], None) == "CRASH OR HANG"
