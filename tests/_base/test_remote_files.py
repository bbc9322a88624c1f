from __future__ import annotations

import fsspec
import pytest

from fishembed._base.paths import to_path
from fishembed._base.remote_files import (
    copies_dir,
    local_copy,
    remote_errors,
    remote_version,
    staging_path,
    upload,
    uploaded_file,
)
from fishembed.errors import RemoteError


@pytest.fixture
def bucket(workspace, monkeypatch):
    monkeypatch.setenv("FISHEMBED_COPIES", str(workspace / "copies"))
    yield to_path("memory://bucket")
    fsspec.filesystem("memory").rm("/bucket", recursive=True)


def test_a_copy_is_made_once_for_each_version(bucket, workspace):
    (bucket / "a.txt").write_text("one")
    first = local_copy(bucket / "a.txt")
    assert first.read_text() == "one"
    assert first.is_relative_to(workspace / "copies")
    assert local_copy(bucket / "a.txt") == first
    version = remote_version(bucket / "a.txt")
    (bucket / "a.txt").write_text("another")
    assert remote_version(bucket / "a.txt") != version
    second = local_copy(bucket / "a.txt")
    assert second.read_text() == "another"
    assert not first.exists()
    assert [path.name for path in second.parent.iterdir()] == ["a.txt"]


def test_local_files_are_their_own_copy(workspace):
    (workspace / "a").touch()
    assert local_copy(workspace / "a") == workspace / "a"
    assert staging_path(workspace / "a") == workspace / "a"
    with pytest.raises(FileNotFoundError):
        local_copy(workspace / "b")


def test_what_is_not_there_is_a_file_that_is_not_there(bucket):
    (bucket / "x").touch()
    with pytest.raises(FileNotFoundError):
        local_copy(bucket / "a.txt")


def test_an_upload_is_whole_or_not_at_all(bucket, workspace):
    with uploaded_file(bucket / "a.txt") as local:
        local.write_text("new")
        assert not (bucket / "a.txt").exists()
    assert (bucket / "a.txt").read_text() == "new"
    assert not local.exists()

    def write_half():
        with uploaded_file(bucket / "a.txt") as local:
            local.write_text("half")
            raise KeyError

    with pytest.raises(KeyError):
        write_half()
    assert (bucket / "a.txt").read_text() == "new"
    (workspace / "b").write_text("by hand")
    upload(workspace / "b", bucket / "b")
    assert (bucket / "b").read_text() == "by hand"


def test_errors_name_the_path_and_no_key():
    said = r"'s3://b/x' cannot be reached: token=…"
    with pytest.raises(RemoteError, match=said) as caught, remote_errors("s3://user:pw@b/x"):
        raise OSError("token=abc")
    assert "abc" not in str(caught.value)
    with pytest.raises(KeyError), remote_errors("s3://b/x"):
        raise KeyError("not of a file system")
    with pytest.raises(RemoteError, match="OSError"), remote_errors("s3://b/x"):
        raise OSError


def test_copies_lie_in_the_users_cache(monkeypatch, workspace):
    monkeypatch.delenv("FISHEMBED_COPIES", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(workspace))
    assert copies_dir() == workspace / "fishembed"
