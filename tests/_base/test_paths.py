from __future__ import annotations

import json
import pickle
from pathlib import Path

import pytest

from fishembed._base.paths import (
    Place,
    cache_dir,
    data_dir,
    is_remote,
    is_url,
    reports_dir,
    scrub,
    shown,
    to_path,
    without_secrets,
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


SIGNED = (
    "https://h/a.jpg?X-Amz-Algorithm=AWS4&X-Amz-Credential=AKIA%2F20&X-Amz-Date=1"
    "&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=hunter2hunter2"
)

KEPT_OUT = {
    "s3://KEYKEYKEY:hunter2/with/hunter2@bucket/x.h5": "s3://bucket/x.h5",
    "https://user:hunter2@h/x.jpg": "https://h/x.jpg",
    "simplecache::s3://KEYKEYKEY:hunter2@b/x": "simplecache::s3://b/x",
    SIGNED: "https://h/a.jpg",
    "https://a.blob.core.windows.net/c/x.jpg?sv=1&se=2&sr=b&sp=r&sig=hunter2": (
        "https://a.blob.core.windows.net/c/x.jpg"
    ),
    **{
        f"https://h/x?{name}=hunter2": "https://h/x"
        for name in ("pwd", "auth", "token", "sig", "api_key", "apikey", "access_token", "password")
    },
    "https://h/x#access_token=hunter2": "https://h/x",
    "https://h/token=hunter2/x.jpg": "https://h/token=…/x.jpg",
    "gs://b/x?access_token=hunter2": "gs://b/x",
}


@pytest.mark.parametrize("url", KEPT_OUT)
def test_a_place_holds_nothing_that_opens_it_and_its_address_all(url):
    place = Place(url)
    assert place == KEPT_OUT[url]
    assert place.address == url
    assert Place(str(place)) == place
    for text in (repr(place), f"{place}", json.dumps({"at": place}), str({place: [place]})):
        assert "hunter2" not in text
    assert pickle.loads(pickle.dumps(place)).address == url


@pytest.mark.parametrize(
    "text",
    [
        "/tmp/a b.h5",
        "C:\\a",
        "https://host:8080/a@b.jpg",
        "s3://arn:aws:s3:us-west-2:1:accesspoint/x@y",
        "s3://b/*?[0-9].tar",
        "s3://b/x?versionId=3",
        "memory://a/b?.tar",
        "file:///tmp/a?b.jpg",
        "http://[::1]:80/a",
    ],
)
def test_places_without_keys_are_what_they_were(text):
    assert Place(text) == text


def test_places_that_differ_in_their_query_alone_stay_distinct_through_other_keys():
    one, two = Place("https://h/image?id=1&token=a"), Place("https://h/image?id=2&token=a")
    assert one != two
    assert one == Place("https://h/image?id=1&token=b&expires=9")
    assert "id" not in one


def test_urls_in_texts_are_shown_without_keys():
    said = f"at {SIGNED}: 403 (https://h/y?token=hunter2)."
    assert shown(said) == "at https://h/a.jpg: 403 (https://h/y)."
    document = {"a": [SIGNED, 1, None], "b": {"c": said}}
    assert "hunter2" not in json.dumps(without_secrets(document))


def test_what_others_say_is_scrubbed():
    said = (
        "Authorization: Bearer hunter2hunter2; pwd=hunter2 AccountKey=hunter2; "
        "'aws_secret_access_key': 'hunter2' {'token': 'hunter2'} at user:hunter2@host"
    )
    assert "hunter2" not in scrub(said)
    plain = "Siganus: 3, signal=4, keyboard: x, author: Smith"
    assert scrub(plain) == plain


def test_a_password_that_came_in_is_taken_out_of_any_text():
    Place("s3://KEYKEYKEY:swordfish/fish@bucket/x")
    assert "swordfish" not in shown("denied: swordfish/fish is no key")
