from __future__ import annotations

import errno
import json
import os
import re
import signal
import stat
import subprocess
import sys

import pytest

from fishembed._base import files
from fishembed._base.files import (
    atomic_file,
    atomic_folder,
    move_into_place,
    remove_stale,
    temporary_file,
    temporary_folder,
    write_bytes,
    write_json,
    write_text,
)


def test_a_file_appears_when_it_is_complete(workspace):
    place = workspace / "a.txt"
    with atomic_file(place) as temporary:
        temporary.write_text("new")
        assert not place.exists()
        assert re.fullmatch(rf"\.a\.txt\.{os.getpid()}\.[0-9a-f]+\.fishembed\.tmp", temporary.name)
    assert place.read_text() == "new"
    assert names(workspace) == ["a.txt"]


def test_a_block_that_fails_leaves_what_was_there(workspace):
    place = workspace / "a.txt"
    place.write_text("old")

    def write_half():
        with atomic_file(place) as temporary:
            temporary.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert place.read_text() == "old"
    assert names(workspace) == ["a.txt"]


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_move_that_fails_leaves_what_was_there(workspace, monkeypatch, call):
    place = workspace / "a.txt"
    place.write_text("old")

    def full(*_args):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space"):
        write_text(place, "new")
    assert place.read_text() == "old"
    assert names(workspace) == ["a.txt"]


def test_a_link_that_waits_at_the_temporary_name_is_not_followed(workspace, monkeypatch):
    victim = workspace / "victim"
    victim.write_text("keep me")
    monkeypatch.setattr(files, "_unique_name", lambda path: path.with_name(".waits.tmp"))
    (workspace / ".waits.tmp").symlink_to(victim)
    with pytest.raises(FileExistsError):
        write_text(workspace / "a.txt", "new")
    assert victim.read_text() == "keep me"
    assert names(workspace) == [".waits.tmp", "victim"], "what is not ours is left alone"


def test_a_link_stays_a_link_and_rights_stay(workspace):
    (workspace / "there").mkdir()
    real = workspace / "there/real.txt"
    real.write_text("old")
    real.chmod(0o640)
    link = workspace / "link.txt"
    link.symlink_to(real)
    write_text(link, "new")
    assert link.is_symlink()
    assert real.read_text() == "new"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640
    assert names(workspace / "there") == ["real.txt"]


def test_a_new_file_has_the_usual_rights(workspace):
    (workspace / "usual").touch()
    write_bytes(workspace / "a", b"")
    assert (workspace / "a").stat().st_mode == (workspace / "usual").stat().st_mode


def test_a_folder_appears_when_it_is_complete(workspace):
    place = workspace / "runs/a"
    with atomic_folder(place) as temporary:
        (temporary / "x").write_text("1")
        assert not place.exists()
    assert names(place) == ["x"]
    assert names(place.parent) == ["a"]


def test_a_folder_that_fails_leaves_nothing(workspace):
    def write_half():
        with atomic_folder(workspace / "a") as temporary:
            (temporary / "x").touch()
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert names(workspace) == []


@pytest.mark.parametrize("kind", ["empty folder", "folder", "file", "dangling link"])
def test_a_folder_takes_no_place_that_is_taken(workspace, kind):
    place = workspace / "a"

    def write():
        with atomic_folder(place) as temporary:
            (temporary / "x").touch()
            if kind == "file":
                place.write_text("theirs")
            elif kind == "dangling link":
                place.symlink_to("nowhere")
            else:
                place.mkdir()
                if kind == "folder":
                    (place / "theirs").touch()

    with pytest.raises(FileExistsError):
        write()
    assert names(workspace) == ["a"]
    assert not (place / "x").exists()


def test_a_folder_that_cannot_be_synced_undoes_nothing(workspace, monkeypatch):
    fsync = os.fsync

    def refuses_folders(handle):
        if stat.S_ISDIR(os.fstat(handle).st_mode):
            raise OSError(errno.EINVAL, "no")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", refuses_folders)
    write_text(workspace / "a", "x")
    assert (workspace / "a").read_text() == "x"


@pytest.mark.parametrize("link", [False, True])
def test_a_file_that_was_made_read_only_is_not_replaced(workspace, link):
    place = workspace / "a"
    place.write_text("old")
    place.chmod(0o444)
    name = workspace / "link" if link else place
    if link:
        name.symlink_to(place)
    with pytest.raises(PermissionError, match="read-only: allow writing with chmod"):
        write_text(name, "new")
    assert place.read_text() == "old"
    place.chmod(0o644)
    write_text(name, "new")
    assert place.read_text() == "new"


def test_text_keeps_names_that_are_no_unicode(workspace):
    write_text(workspace / "a", os.fsdecode(b"latin\xe9"))
    assert (workspace / "a").read_bytes() == b"latin\xe9"


def test_json_is_readable_and_knows_no_nan(workspace):
    write_json(workspace / "a.json", {"é": [1, None]})
    text = (workspace / "a.json").read_text(encoding="utf-8")
    assert json.loads(text) == {"é": [1, None]}
    assert '"é": [\n' in text
    with pytest.raises(ValueError, match="not JSON compliant"):
        write_json(workspace / "a.json", float("nan"))
    assert (workspace / "a.json").read_text(encoding="utf-8") == text


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_is_written_to_and_never_replaced(workspace):
    pipe = workspace / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "through")
    assert os.read(reader, 99) == b"through"
    os.close(reader)
    with pytest.raises(OSError, match="device or a pipe"):
        move_into_place(workspace / "file", pipe)
    assert names(workspace) == ["pipe"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_a_pipe_that_nobody_reads_is_not_waited_for(workspace, monkeypatch):
    monkeypatch.setattr(files, "_PATIENCE", 0.1)
    os.mkfifo(workspace / "pipe")
    with pytest.raises(OSError, match="nobody reads"):
        write_text(workspace / "pipe", "through")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs pipes")
def test_who_reads_a_pipe_may_come_a_little_later(workspace):
    pipe = workspace / "pipe"
    os.mkfifo(pipe)
    with subprocess.Popen(
        f"sleep 0.3; cat {pipe}", shell=True, stdout=subprocess.PIPE, text=True
    ) as reader:
        write_text(pipe, "through")
        assert reader.communicate()[0] == "through"


WRITES = """
import pathlib, sys, time
from fishembed._base.files import temporary_file, temporary_folder
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
    monkeypatch.setattr(files, "try_lock", missing)
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
