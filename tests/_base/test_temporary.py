"""Temporary names: exclusive, and removed also after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import pytest

from fishembed._base import temporary
from fishembed._base.files import atomic_folder, write_text
from fishembed._base.temporary import remove_stale, temporary_file, temporary_folder

WRITES = """
import pathlib, sys, time
from fishembed._base.temporary import temporary_file, temporary_folder
with temporary_file(pathlib.Path("a.txt")), temporary_folder(pathlib.Path("f")) as folder:
    (folder / "half").write_text("half")
    print("writing", flush=True)
    time.sleep(600)
"""


def names(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def writer(workspace):
    with subprocess.Popen([sys.executable, "-c", WRITES], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        yield process
        process.kill()


def test_what_a_killed_process_left_goes_with_the_next_write(workspace, writer):
    assert len(names(workspace)) == 2
    write_text(workspace / "b.txt", "b")
    assert len(names(workspace)) == 3, "a living process writes still"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    write_text(workspace / "b.txt", "b")
    assert names(workspace) == ["b.txt"]


def test_two_writers_in_one_process_have_names_of_their_own(workspace):
    with temporary_file(workspace / "a") as first, temporary_file(workspace / "a") as second:
        assert first != second
        remove_stale(workspace)
        assert first.exists()
        assert second.exists()
    assert names(workspace) == []


def test_names_of_others_are_left_alone(workspace):
    older = [".a.h5.12.tmp", ".a.h5.12.0f3a.tmp"]
    others = ["a.h5", ".a.h5.lock", ".a.h5.x.tmp", "a.h5.12.tmp", ".b.h5.7.00.tmp"]
    for name in (*older, *others):
        (workspace / name).touch()
    (workspace / ".link.fishembed.tmp").symlink_to(workspace / "a.h5")
    remove_stale(workspace)
    assert names(workspace) == sorted([".link.fishembed.tmp", *older, *others])
    remove_stale(workspace, "a.h5")  # whose only writer this is
    assert names(workspace) == sorted([".link.fishembed.tmp", *others])
    remove_stale(workspace / "nowhere")


def test_nothing_is_taken_for_stale_where_there_are_no_locks(workspace, monkeypatch):
    def missing(*_args, **_kinds):
        raise OSError(38, "Function not implemented")

    (workspace / ".x.1.aa.fishembed.tmp").touch()
    monkeypatch.setattr(temporary, "try_lock", missing)
    write_text(workspace / "a", "new")
    assert names(workspace) == [".x.1.aa.fishembed.tmp", "a"]


def test_a_reservation_is_held_by_one(workspace):
    place = workspace / "run"
    with (
        temporary_folder(place, reserve=True),
        pytest.raises(FileExistsError),
        temporary_folder(place, reserve=True),
    ):
        pass
    assert names(workspace) == []
    with temporary_folder(place, reserve=True) as mine:
        mine.rename(place)
        with temporary_folder(place, reserve=True) as other:
            assert other.is_dir()
    assert names(workspace) == ["run"]


@pytest.mark.parametrize("name", ["é" * 127, "x" * 255])
def test_a_name_as_long_as_names_may_be_has_a_temporary_one(workspace, name):
    write_text(workspace / name, "text")
    with atomic_folder(workspace / name[:-1]):
        pass
    assert names(workspace) == sorted([name, name[:-1]])
