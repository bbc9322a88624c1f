from __future__ import annotations

from pathlib import Path

import pytest


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["extract"], "nothing at 'data'"),
        (["extract", "."], "no image in"),
        (["fit"], "no feature store in 'cache'"),
        (["fit", "x.h5"], "no feature store at 'x.h5'"),
        (["predict", "x", "."], "no run at 'x'"),
        (["report"], "no run in 'reports'"),
        (["report", "x"], "no run at 'x'"),
        (["import", "x.npz"], "no file 'x.npz'"),
    ],
)
def test_expected_errors_are_one_sentence(run, workspace, words, message):
    code, _, err = run(*words)
    assert code == 2
    assert message in err
    assert err.startswith("error: ")
    assert "Traceback" not in err
    assert not [path for path in workspace.rglob("*") if path.suffix in {".h5", ".tmp"}]


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
    assert err.strip().endswith("interrupted")
    assert not list(Path("cache").glob("*.h5"))
