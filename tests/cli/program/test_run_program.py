"""Every end of the program: a sentence, an exit code for its kind, and JSON where asked for."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import h5py
import numpy as np
import pytest

from fishembed import import_features, run_fit
from fishembed.cache.writer import store_lock
from fishembed.errors import RemoteError, WeightsError


@pytest.fixture
def features(workspace):
    """Import features of two classes as ./cache/v.h5."""
    rng = np.random.default_rng(0)
    labels = np.arange(24) % 2
    rows = np.eye(2)[labels] + 0.1 * rng.normal(size=(24, 2))
    return import_features({"features": rows, "labels": labels}, "cache/v.h5")


def ended(run, *words):
    """Run a verb with and without --json; assert that both say the same; return code and text."""
    code, out, err = run(*words)
    assert "Traceback" not in err
    assert re.search("^error: ", err, re.MULTILINE), err
    again, out, said = run(*words, "--json")
    assert again == code
    assert "error: " in said
    document = json.loads(out)
    assert set(document) == {"error"}
    error = document["error"]
    assert set(error) == {"kind", "code", "type", "message"}
    assert error["code"] == code
    assert error["message"] in said
    return code, error["kind"], err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["extract"], "nothing at 'data'"),
        (["fit"], "no feature store in 'cache'"),
        (["fit", "x.h5"], "no feature store at 'x.h5'"),
        (["predict", "x", "."], "no run at 'x'"),
        (["report"], "no run in 'reports'"),
        (["report", "x"], "no run at 'x'"),
        (["import", "x.npz"], "no file 'x.npz'"),
        (["extract", ".", "--engine", "local", "--address", "auto"], "--address"),
        (["fit", "--nonsense"], "--nonsense"),
        (["fit", "--epochs", "many"], "--epochs"),
        (["predict"], "name images"),
        (["fti"], "fit"),
    ],
)
def test_a_wrong_command_ends_with_2(run, workspace, words, message):
    code, kind, err = ended(run, *words)
    assert (code, kind) == (2, "usage")
    assert message in err
    assert not [path for path in workspace.rglob("*") if path.suffix in {".h5", ".tmp"}]


def test_what_was_read_ends_with_3(run, workspace, features):
    Path("empty").mkdir()
    Path("m.csv").write_text("file,label\nx.jpg,cod\n")
    Path("text.h5").write_text("no store")
    Path("fix.csv").write_text("path,action,new_label\nx,burn,\n")
    broken = run_fit(features, head="centroid", run="broken").folder
    (broken / "run.json").write_text("{")
    for words in (
        ["extract", "empty"],
        ["extract", "m.csv"],
        ["info", "text.h5"],
        ["fix", "v", "fix.csv"],
        ["report", "broken"],
        ["zeroshot", "v"],
        ["import", "m.csv"],
    ):
        assert ended(run, *words)[:2] == (3, "data"), words


def test_a_damaged_store_has_one_document(run, features):
    with h5py.File(features, "r+") as file:
        file["features/image"][3] += 1
    code, out, err = run("info", "v", "--verify", "--json")
    assert code == 3
    assert json.loads(out)["damage"]
    assert "is not what was written" in err


OPEN = """
import h5py, sys
file = h5py.File(sys.argv[1], "a")
print("open", flush=True)
sys.stdin.read()
"""


def test_a_store_in_use_ends_with_4(run, features):
    words = [sys.executable, "-c", OPEN, str(features)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout.readline() == b"open\n"
        assert ended(run, "info", "v")[:2] == (4, "locked")
        other.stdin.close()
    assert run("info", "v")[0] == 0
    with store_lock(features):
        assert ended(run, "split", "v")[:2] == (4, "locked")


def test_the_network_ends_with_5(run, features, monkeypatch):
    def unreachable(*_arguments, **_options):
        raise RemoteError("'s3://trip' cannot be reached: no route to host")

    assert ended(run, "extract", ".", "-e", "hf-hub:org/none")[:2] in ((3, "data"), (5, "network"))
    monkeypatch.setattr("fishembed.cache.newest_store", unreachable)
    assert ended(run, "fit")[:2] == (5, "network")


def test_weights_that_are_not_here_are_a_matter_of_the_network(run, photos):
    code, kind, err = ended(run, "extract", "-e", "hf-hub:org/none")
    assert (code, kind) == (5, "network")
    assert "Three ways out" in err
    Path("w.pt").write_bytes(b"no weights")
    assert ended(run, "extract", "-e", "ViT-B-32@w.pt")[:2] == (3, "data")
    assert issubclass(WeightsError, OSError)


def test_the_disk_ends_with_6(run, features, monkeypatch):
    def full(*_arguments, **_options):
        raise OSError(28, "No space left on device", "cache/v.h5")

    run_fit(features, head="centroid", run="r")
    Path("file").write_text("")
    assert ended(run, "predict", "r", "v", "-o", "file/x.csv")[:2] == (6, "disk")
    monkeypatch.setattr("fishembed.cache.newest_store", full)
    assert ended(run, "fit")[:2] == (6, "disk")


def test_what_this_machine_lacks_ends_with_7(run, photos):
    code, kind, _ = ended(run, "extract", "-e", "embedded", "--device", "cuda:99")
    assert (code, kind) == (7, "missing")


def test_unknown_options_are_click_errors(run):
    code, _, err = run("fit", "--nonsense")
    assert code == 2
    assert "--nonsense" in err


def test_unexpected_errors_leave_a_log(run, workspace, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("fishembed.cache.newest_store", broken)
    code, _, err = run("fit")
    assert code == 1
    assert "Traceback" not in err
    log = Path(err.split("the details are in ")[1].split(": please")[0])
    text = log.read_text()
    assert "ZeroDivisionError: deep inside" in text
    assert "numpy " in text
    log.unlink()


def test_an_unexpected_error_is_json_too(run, workspace, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("deep inside")

    monkeypatch.setattr("fishembed.cache.newest_store", broken)
    code, out, err = run("fit", "--json")
    Path(err.split("the details are in ")[1].split(": please")[0]).unlink()
    assert json.loads(out)["error"] == {
        "kind": "unexpected",
        "code": code,
        "type": "ZeroDivisionError",
        "message": "deep inside",
    }


def test_the_log_of_an_unexpected_error_holds_no_keys(run, workspace, monkeypatch):
    def broken(_path):
        raise ZeroDivisionError("https://me:hunter2@example.org/x?sig=abc123 secret_key=verysecret")

    monkeypatch.setattr("fishembed.cache.newest_store", broken)
    _, _, err = run("fit")
    log = Path(err.split("the details are in ")[1].split(": please")[0])
    for text in (err, log.read_text()):
        assert "example.org/x" in text
        assert not any(key in text for key in ("hunter2", "abc123", "verysecret"))
    log.unlink()


def test_ctrl_c_exits_130(run, photos, monkeypatch):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(
        "fishembed.encoders.embedded.embedded_encoder.EmbeddedEncoder.encode_images", interrupted
    )
    code, _, err = run("extract", "-e", "embedded")
    assert code == 130
    assert "interrupted: no image was encoded yet; the same command starts again" in err
    code, out, _ = run("extract", "-e", "embedded", "--json")
    assert (code, json.loads(out)["error"]["kind"]) == (130, "interrupted")
    assert not list(Path("cache").glob("*.h5"))


@pytest.fixture
def fish(workspace):
    """Make a store, a run, photos and a table."""
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    arrays = {
        "features": np.eye(2)[labels] + 0.1 * rng.normal(size=(40, 2)),
        "labels": labels,
        "classes": ["cod", "eel"],
        "groups": [f"trip{i % 5}" for i in range(40)],
    }
    np.savez("f.npz", **arrays)
    import_features(arrays, "cache/fish.h5")
    run_fit("fish", head="centroid")
    Path("new").mkdir()
    Path("my photos").mkdir()
    Path("t.csv").write_text("path,action\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("fti", "'fit'"),
        ("fit fihs", "did you mean 'fish'?"),
        ("info FISH.h5", "did you mean 'fish'?"),
        ("report fish-centriod", "did you mean 'fish-centroid'?"),
        ("predict fish-centroi new", "did you mean 'fish-centroid'?"),
        ("fit fish --head logistics", "did you mean 'logistic'"),
        ("fit fish --hed knn", "--head"),
        ("fit fish --by groups", "did you mean 'group'?"),
        ("cluster fish --all --method kmeans --site gruop", "did you mean 'group'?"),
        ("suggest fish --label cdo", "did you mean 'cod'?"),
        ("suggest fish --where gorup=trip1", "did you mean 'group'?"),
        ("suggest fish --group tirp1", "did you mean 'trip1'"),
        ("predict new fish-centroid", "Try: fishembed predict fish-centroid new"),
        ("fix t.csv fish", "Try: fishembed fix fish t.csv"),
        ("search cod fish", "Try: fishembed search fish cod"),
        ("import cache/x.h5 f.npz", "Try: fishembed import f.npz cache/x.h5"),
        ("export x.npz fish", "Try: fishembed export fish x.npz"),
        ("shard parts.json fish", "Try: fishembed shard fish parts.json"),
        ("extract new fish.h5", "Try: fishembed extract new --store fish.h5"),
        ("extract my photos", "'my photos': put a name with blanks in quotes"),
        ("predict fish-centroid my photos", "'my photos': put a name with blanks in quotes"),
        ("audit fish --photos my photos", "'my photos': put a name with blanks in quotes"),
        ("report fish", "'cache/fish.h5' is a feature store, not a run"),
        ("fit fish-centroid", "is a run, not a store"),
    ],
)
def test_what_may_have_been_meant_is_said(run, fish, words, said):
    code, _, err = run(*words.split(" "))
    assert code in (2, 3)
    assert said in " ".join(err.split())


def test_nothing_is_made_up(run, fish):
    for words in (["fit", "zebra"], ["predict", "zebra", "new"], ["extract", "zebra"]):
        err = run(*words)[2]
        assert "did you mean" not in err
        assert "Try" not in err
        assert "quotes" not in err
