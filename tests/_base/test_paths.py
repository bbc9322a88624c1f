from __future__ import annotations

from pathlib import Path

import pytest

from fishembed._base.paths import (
    cache_dir,
    data_dir,
    is_remote,
    is_url,
    reports_dir,
    scrub,
    to_path,
)
from fishembed.errors import InputError


@pytest.mark.parametrize("text", ["a.h5", "/a/b", "C:\\a", "a:b", "./s3:/x"])
def test_paths_are_no_urls(text):
    assert not is_url(text)
    assert to_path(text) == Path(text)
    assert not is_remote(to_path(text))


def test_urls_are_remote_also_when_a_path_has_eaten_a_slash():
    for url in ("memory://bucket/a.h5", Path("memory://bucket/a.h5")):
        path = to_path(url)
        assert is_remote(path)
        assert str(path) == "memory://bucket/a.h5"


def test_file_urls_are_local():
    assert to_path("file:///tmp/a%20b.h5") == Path("/tmp/a b.h5")


def test_urls_that_cannot_be_used_are_refused():
    with pytest.raises(InputError, match="a kind that fsspec does not know"):
        to_path("nothing://x")
    with pytest.raises(InputError, match="leave it out") as caught:
        to_path("s3://KEY:hidden@bucket/x")
    assert "hidden" not in str(caught.value)


def test_secrets_are_scrubbed():
    text = "s3://me:pw@b/x?X-Amz-Signature=abc&secret_key='def' token: ghi"
    assert scrub(text) == "s3://b/x token: …"


def test_keys_behind_a_question_mark_are_for_http_alone():
    with pytest.raises(InputError, match="which only http") as caught:
        to_path("gs://bucket/x?access_token=hidden")
    assert "hidden" not in str(caught.value)
    with pytest.raises(InputError, match="leave it out") as caught:
        to_path("s3://KEY:hidden/with/slash@bucket/x")
    assert "hidden" not in str(caught.value)
    path = to_path("http://127.0.0.1/a/cod.jpg?sig=hidden")
    assert (str(path), path.name) == ("http://127.0.0.1/a/cod.jpg", "cod.jpg")
    assert "hidden" in str(path.fs.encode_url(path.path))


def test_folders_of_the_workspace_unless_the_environment_names_others(monkeypatch):
    assert (data_dir(), cache_dir(), reports_dir()) == ("data", Path("cache"), Path("reports"))
    monkeypatch.setenv("FISHEMBED_DATA", "s3://bucket/{0..9}.tar")
    monkeypatch.setenv("FISHEMBED_CACHE", "memory://stores")
    monkeypatch.setenv("FISHEMBED_REPORTS", "/runs")
    assert data_dir() == "s3://bucket/{0..9}.tar"
    assert str(cache_dir()) == "memory://stores"
    assert reports_dir() == Path("/runs")
