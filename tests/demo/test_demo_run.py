from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from fishembed.cli import main
from fishembed.demo.dataset import long_tail


@pytest.fixture
def no_network(monkeypatch):
    """Let no connection leave the machine; joblib's own pipes are no sockets of this kind."""

    def refused(self, address, *_rest):
        raise AssertionError(f"somebody wants to reach {address}")

    monkeypatch.setattr(socket.socket, "connect", refused)
    monkeypatch.setattr(socket, "getaddrinfo", lambda *a, **_: refused(None, a))


@pytest.mark.slow
def test_the_whole_demo(workspace, no_network, capsys, monkeypatch):
    with pytest.raises(SystemExit) as left:
        main(["demo", "--json", "--device", "cpu"])
    assert not left.value.code
    printed = json.loads(capsys.readouterr().out)
    zeroshot, linear, best = printed["methods"]
    assert 4 / 31 <= zeroshot["accuracy"] < linear["accuracy"] - 0.1
    assert linear["accuracy"] > 0.5
    assert best["macro_recall"] > linear["macro_recall"] + 0.05
    assert len(best["zero_recall_classes"]) <= len(linear["zero_recall_classes"])
    assert Path(printed["comparison"]).stat().st_size > 10_000
    for method in printed["methods"]:
        assert Path(method["page"]).stat().st_size > 10_000
    for number, split in enumerate(("train", "val", "test")):
        drawn = {
            path.name: len(list(path.iterdir()))
            for path in (workspace / "data/demo" / split).iterdir()
        }
        assert drawn == {name: counts[number] for name, counts in long_tail().items()}

    before = {path: path.stat().st_mtime_ns for path in workspace.rglob("*.h5")}
    monkeypatch.setattr(
        "fishembed.extraction.encoder_loader.load_encoder",
        lambda *_, **__: pytest.fail("encoded again"),
    )
    with pytest.raises(SystemExit):
        main(["demo", "--json"])
    again = json.loads(capsys.readouterr().out)
    assert [method["run"] for method in again["methods"]] == [m["run"] for m in printed["methods"]]
    assert {path: path.stat().st_mtime_ns for path in workspace.rglob("*.h5")} == before
