"""Verbs that write a store on S3: old or new, whole, whatever breaks on the way.

With FISHEMBED_ALL_FAULTS=1 every request of every verb breaks in every way.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from s3_faults import FAULTS, FaultyWay
from s3_server import s3_server
from upath import UPath

from fishembed import import_features
from fishembed._base import remote_files
from fishembed._base.remote_files import remote_state, upload
from fishembed.cache import FeatureStore
from fishembed.cli import main
from fishembed.errors import RemoteError

ALL = bool(os.environ.get("FISHEMBED_ALL_FAULTS"))

VERBS = {
    "fix": ["fix", "THERE/a.h5", "fix.csv"],
    "split": ["split", "THERE/a.h5", "--seed", "5", "--manifest", "m.csv"],
    "import": ["import", "f.npz", "--store", "THERE/new.h5"],
    "merge": ["merge", "THERE/merged.h5", "THERE/a.h5", "b.h5"],
    "index": ["merge", "THERE/index.json", "THERE/a.h5", "THERE/b.h5"],
    "shard": ["shard", "THERE/a.h5", "THERE/cut.json", "--rows", "15"],
}


def arrays(first=0, n=40):
    labels = np.arange(n) % 2
    rng = np.random.default_rng(first)
    return {
        "features": (np.eye(2)[labels] + 0.1 * rng.normal(size=(n, 2))).astype(np.float32),
        "labels": labels,
        "classes": ["cod", "eel"],
        "paths": [f"{i + first}.png" for i in range(n)],
    }


@pytest.fixture(scope="module")
def way():
    s3fs = pytest.importorskip("s3fs", reason="the extra 's3' is not installed")
    with s3_server() as bucket:
        patch = pytest.MonkeyPatch()
        way = FaultyWay(os.environ["AWS_ENDPOINT_URL"])
        patch.setenv("AWS_ENDPOINT_URL", way.url)
        patch.setenv("AWS_MAX_ATTEMPTS", "2")
        patch.setattr(s3fs.S3FileSystem, "retries", 2)
        s3fs.S3FileSystem.clear_instance_cache()
        way.bucket = bucket
        yield way
        s3fs.S3FileSystem.clear_instance_cache()
        patch.undo()
        way.close()


@pytest.fixture
def there(way, workspace, tmp_path, monkeypatch):
    """Give an empty folder on the server, and what the verbs read here."""
    monkeypatch.setenv("FISHEMBED_COPIES", str(tmp_path / "copies"))
    np.savez(workspace / "f.npz", **arrays())
    (workspace / "fix.csv").write_text("path,action,new_label\n3.png,drop,\n4.png,relabel,eel\n")
    way.start()
    root = UPath(way.bucket) / tmp_path.name
    yield root
    way.start()
    if root.exists():
        root.fs.rm(root.path, recursive=True)


def fresh(root) -> None:
    """Put everything back to how it was."""
    root.fs.invalidate_cache()
    if root.exists():
        root.fs.rm(root.path, recursive=True)
    import_features(arrays(), str(root / "a.h5"))
    import_features(arrays(100), str(root / "b.h5"))
    if not Path("b.h5").exists():
        import_features(arrays(100), "b.h5")


def run(there, verb: str, capsys) -> tuple[int, str]:
    """Run a verb; return its exit code and what it complained."""
    words = [word.replace("THERE", str(there)) for word in VERBS[verb]]
    there.fs.invalidate_cache()
    try:
        main(words)
    except SystemExit as ended:
        return ended.code or 0, capsys.readouterr().err
    return 0, capsys.readouterr().err


def assert_whole(there) -> None:
    there.fs.invalidate_cache()
    for place in there.iterdir():
        if place.suffix in (".h5", ".json"):
            with FeatureStore.open(str(place)) as store:
                assert store.verify() == []
                assert len(store.rows.path) == len(store) >= 39


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_whatever_breaks_leaves_the_old_store_or_the_new(way, there, verb, capsys):
    fresh(there)
    way.start()
    assert run(there, verb, capsys)[0] == 0
    methods = list(way.seen)
    writes = [i for i, method in enumerate(methods) if method in ("PUT", "POST", "DELETE")]
    assert writes
    at = range(len(methods)) if ALL else {0, writes[0], writes[-1]}
    for number in at:
        for fault in FAULTS if ALL or number in writes else FAULTS[:1]:
            for lasting in (False, True) if ALL else (number % 2 == 0,):
                way.start()
                fresh(there)
                way.start(fault, number, lasting=lasting)
                code, said = run(there, verb, capsys)
                way.start()
                case = (verb, fault, number, lasting, code, said)
                assert code in (0, 2, 3, 5), case
                assert "Traceback" not in said, case
                assert "unexpected" not in said, case
                assert_whole(there)


def test_what_somebody_else_wrote_meanwhile_is_left(way, there, tmp_path):
    place = there / "x.bin"
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.write_bytes(b"ours")
    theirs.write_bytes(b"theirs")
    upload(ours, place, replaces="")
    with pytest.raises(RemoteError, match="written by somebody else"):
        upload(theirs, place, replaces="")
    before = remote_state(place)
    upload(theirs, place, replaces=before)
    with pytest.raises(RemoteError, match="written by somebody else"):
        upload(ours, place, replaces=before)
    assert place.read_bytes() == b"theirs"


def test_the_server_itself_refuses_what_changed_between_look_and_write(way, there, tmp_path):
    """The condition goes with the request: a look just before would be too early."""
    place, ours = there / "x.bin", tmp_path / "ours"
    ours.write_bytes(b"ours")
    place.write_bytes(b"theirs")
    fs = place.fs
    for condition in ({"IfMatch": '"0123"'}, {"IfNoneMatch": "*"}):
        with pytest.raises(OSError, match=r"pre-?condition"):
            remote_files.put_s3(fs, ours, place.path, condition)
    assert place.read_bytes() == b"theirs"


@pytest.mark.parametrize("size", [10, 6 << 20])
def test_an_upload_whose_answer_was_lost_is_no_conflict(way, there, tmp_path, monkeypatch, size):
    """The request is sent again, and the place holds then what it brings: not somebody else's."""
    monkeypatch.setattr(remote_files, "_PART", 5 << 20)
    place, ours = there / "x.bin", tmp_path / "ours"
    ours.write_bytes(os.urandom(size))
    upload(ours, place, replaces="")
    ours.write_bytes(os.urandom(size))
    before = remote_state(place)
    way.start()
    upload(ours, place, replaces=before)
    last = max(i for i, method in enumerate(way.seen) if method in ("PUT", "POST"))
    ours.write_bytes(os.urandom(size))
    before = remote_state(place)
    way.start("cut after", last)
    upload(ours, place, replaces=before)
    assert place.read_bytes() == ours.read_bytes()
