"""What strangers hand one, through every verb that could read it, while all it reaches is watched.

No request, no file outside the folder, no code; an expected error, or the work is done. With
FISHEMBED_ALL_FAULTS=1 each is given to all verbs, else some to a third of them, by turns.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import hostile_set
import hostile_stores
import pytest
from fake_hub import CLIP, EVIL, FakeHub, clip_weights
from hostile_runs import RUNS
from watched import Watch, watched

from fishembed.cli.app import app
from fishembed.cli.program.exit_codes import DATA, DONE, MISSING, NETWORK, USAGE
from fishembed.cli.program.run_program import run_program
from fishembed.errors import InputError

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no pipes")

EXPECTED = {one.code for one in (DONE, USAGE, DATA, NETWORK, MISSING)}
ALL = bool(os.environ.get("FISHEMBED_ALL_FAULTS"))
NEVER_ENDS, MOST_MEMORY = 120, 3 << 30

STORE_VERBS: dict[str, list[str]] = {
    "info": ["info", "IT", "--verify", "--json"],
    "fit": ["fit", "IT", "--head", "centroid", "--run", "of-it"],
    "fit trunk": ["fit", "IT", "--head", "centroid", "--features", "trunk", "--run", "trunk"],
    "zeroshot": ["zeroshot", "IT", "--run", "zero-of-it"],
    "runs": ["runs"],
    "report": ["report", "of-it", "--format", "html"],
    "compare": ["compare", "of-it", "zero-of-it"],
    "predict": ["predict", "own", "IT", "-o", "p.html"],
    "predict --evidence": ["predict", "of-it", "b", "--evidence", "-o", "pe.html"],
    "predict photo": ["predict", "of-it", "photos/1.png", "--evidence"],
    "predict --sort-into": ["predict", "own", "IT", "--sort-into", "sorted"],
    "audit": ["audit", "IT", "--name", "audited"],
    "search": ["search", "IT", "a cod", "-o", "found"],
    "search --like": ["search", "IT", "--like", "photos/1.png", "-o", "alike"],
    "cluster": ["cluster", "IT", "--all", "--method", "kmeans", "--clusters", "3", "-o", "groups"],
    "suggest": ["suggest", "IT", "--run", "own", "-o", "next"],
    "taxonomy": ["taxonomy", "IT", "--offline", "-o", "taxa.csv"],
    "export": ["export", "e.npz", "--store", "IT"],
    "export folder": ["export", "e", "--store", "IT"],
    "export manifest": ["export", "made.csv", "--store", "IT", "--format", "manifest"],
    "export parquet": ["export", "e.parquet", "--store", "IT"],
    "import": ["import", "IT", "--store", "imported.h5"],
    "merge": ["merge", "merged.h5", "IT", "b"],
    "merge index": ["merge", "merged.json", "IT", "b"],
    "shard": ["shard", "IT", "cut.json", "--rows", "25"],
    "serve": ["serve", "of-it", "--port", "0"],
    "push": ["push", "of-it", "me/fish", "--to", "shared"],
    "bundle": ["bundle", "of-it", "-o", "bundled"],
    "extract": ["extract", "m.csv", "--store", "IT"],
    "split": ["split", "IT", "--seed", "5"],
    "fix": ["fix", "IT", "fix.csv"],
    "fix --undo": ["fix", "IT", "--undo"],
}  # fmt: skip
SHOWS_IMAGES = (
    "zeroshot", "report", "compare", "predict", "predict --evidence", "predict --sort-into",
    "audit", "search", "cluster", "suggest", "serve", "bundle", "extract",
)  # fmt: skip
ENCODES = ("predict photo", "search", "search --like", "serve", "bundle", "extract")
RUN_VERBS: dict[str, list[str]] = {
    "runs": ["runs"],
    "report": ["report", "strange", "--format", "md"],
    "compare": ["compare", "zero", "strange"],
    "predict": ["predict", "strange", "a", "--sets", "0.9", "-o", "p.csv"],
    "predict --evidence": ["predict", "strange", "b", "--evidence", "-o", "pe.html"],
    "predict photo": ["predict", "strange", "photos/1.png", "--evidence"],
    "audit": ["audit", "a", "--run", "strange", "--no-photos", "--name", "audited"],
    "suggest": ["suggest", "a", "--run", "strange", "-o", "next"],
    "serve": ["serve", "strange", "--port", "0"],
    "push": ["push", "strange", "me/fish", "--to", "shared"],
    "bundle": ["bundle", "strange", "-o", "bundled"],
}
DATASET_VERBS: dict[str, list[str]] = {
    "extract": ["extract", "IT", "--store", "made.h5", "--encoder", "embedded", "--workers", "1"],
    "predict": ["predict", "own", "IT", "-o", "p.html"],
    "search --like": ["search", "a", "--like", "IT", "-o", "alike"],
    "import": ["import", "IT", "--store", "imported.h5"],
    "merge": ["merge", "merged.h5", "IT"],
    "info": ["info", "IT"],
}
TABLE_VERBS: dict[str, list[str]] = {
    **{name: DATASET_VERBS[name] for name in ("predict", "search --like", "import", "info")},
    "report": ["report", "own", "--photos", "IT", "--format", "md"],
    "audit": ["audit", "a", "--photos", "IT", "--name", "audited"],
    "search": ["search", "a", "a cod", "--photos", "IT", "-o", "found"],
    "fix": ["fix", "a", "IT"],
    "predict --classes": ["predict", "own", "b", "--classes", "IT"],
    "predict --prior": ["predict", "own", "b", "--prior", "IT"],
    "predict --taxonomy": ["predict", "own", "b", "--taxonomy", "IT"],
    "taxonomy": ["taxonomy", "IT", "--offline", "-o", "taxa.csv"],
    "report --taxonomy": ["report", "own", "--taxonomy", "IT"],
}


@pytest.fixture(scope="module")
def before(tmp_path_factory) -> Path:
    """Make what is one's own, and what lies outside of it, once; stores name absolute paths."""
    above = tmp_path_factory.mktemp("hostile")
    hostile_set.workspace_of_ones_own(above / "now/mine")
    hostile_set.secrets(above / "now/outside")
    (above / "now").rename(above / "kept")
    return above


@pytest.fixture
def place(before, monkeypatch) -> Path:
    """Put everything back to how it was, on a machine whose network could be asked."""
    now = before / "now"
    shutil.rmtree(now, ignore_errors=True)
    shutil.copytree(before / "kept", now)
    hostile_set.pipe(now / "outside")
    (now / "temp").mkdir()
    monkeypatch.chdir(now / "mine")
    monkeypatch.setenv("TMPDIR", str(now / "temp"))
    monkeypatch.setattr("tempfile.tempdir", str(now / "temp"))
    monkeypatch.setenv("HOME", str(now / "temp"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(now / "temp"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    for module in (
        "extraction.encoder_loader", "extraction.recorded_encoder", "explore.search",
        "experiments.predicting.input_features", "sharing.bundle_export",
    ):  # fmt: skip
        monkeypatch.setattr(f"fishembed.{module}.load_encoder", hostile_set.load_fake)
    monkeypatch.setattr("uvicorn.Server.run", lambda *_, **__: None)
    monkeypatch.setattr("fishembed.sharing.bundle_export._export", _no_network)
    make_app = pytest.importorskip("fishembed.serve").make_app

    def answered(classifier: object, *rest: object, **options: object) -> object:
        photo = Path("photos/1.png").read_bytes()
        assert classifier.predict([("x.png", photo)], with_thumbnails=True)["answers"]
        return make_app(classifier, *rest, **options)

    monkeypatch.setattr("fishembed.serve.make_app", answered)
    return now


class _NeverEnds(BaseException):
    """Something was read that has no end; no handler of errors takes it for one."""


def _no_network(*_: object, **__: object) -> None:
    raise InputError("the encoder of the tests is no network")


@contextmanager
def _limits() -> Iterator[None]:
    """End what waits for a pipe, and what reads without end."""
    import resource

    def late(*_: object) -> None:
        raise _NeverEnds

    used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    old, (soft, hard) = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (used + MOST_MEMORY, hard))
    signal.alarm(NEVER_ENDS)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, old)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _answer(place: Path, words: Sequence[str], capsys) -> list[str]:
    """Run a verb under watch; return what must not be."""
    mine, out = place / "mine", place / "outside"
    watch = Watch([mine, place / "temp"], ("/etc/passwd",))
    files = _state(out)
    capsys.readouterr()
    code = -1
    with (
        watched(watch, out), suppress(_NeverEnds), _limits(), pytest.MonkeyPatch.context() as patch
    ):  # fmt: skip
        patch.setattr(sys, "argv", ["fishembed", *words])
        code = run_program(app, list(words))
    printed, err = capsys.readouterr()
    said = printed + err
    faults = list(dict.fromkeys(watch.seen))
    if code not in EXPECTED or "Traceback" in said or "unexpected" in said:
        faults.append(f"ended with {code}: {said[-600:]}")
    if "root:x:0" in said or "\x1b" in err:
        faults.append("what is a secret, or a control sequence, is printed")
    if changed := _state(out) - files:
        faults.append(f"written outside: {changed}")
    if (mine / hostile_set.MARK).exists():
        faults.append("code ran")
    return faults


def _state(out: Path) -> set[tuple[str, int, int]]:
    found = [(path, path.stat()) for path in out.rglob("*")]
    return {(path.name, state.st_size, state.st_mtime_ns) for path, state in found}


def _check(place: Path, make: Callable, verbs: Mapping[str, list[str]], capsys) -> None:
    it = str(make(place / "mine", place / "outside"))
    found = {}
    for name, words in verbs.items():
        faults = _answer(place, [it if word == "IT" else word for word in words], capsys)
        if faults:
            found[name] = faults
    for path in (place / "mine").rglob("*"):
        if path.is_file() and not path.is_symlink():
            assert b"root:x:0" not in path.read_bytes(), path
    assert not found, "\n".join(f"{name}: {one}" for name, all_ in found.items() for one in all_)


def _by_turns(verbs: Mapping[str, list[str]], turn: int) -> Mapping[str, list[str]]:
    """Return every third verb, all where all faults are wanted."""
    return verbs if ALL else dict(list(verbs.items())[turn % 3 :: 3])


def _named(makers: Sequence[hostile_set.Maker]) -> list[object]:
    return [pytest.param(i, one, id=one.__name__) for i, one in enumerate(makers)]


def test_a_store_whose_paths_lead_out(place, capsys):
    _check(place, hostile_stores.paths_outside, STORE_VERBS, capsys)


@pytest.mark.parametrize(("turn", "make"), _named(hostile_stores.ROOTS))
def test_stores_whose_images_lie_elsewhere(place, turn, make, capsys):
    shown = {name: STORE_VERBS[name] for name in ("fit", *SHOWS_IMAGES[turn * 5 :])}
    _check(place, make, STORE_VERBS if ALL else shown, capsys)


@pytest.mark.parametrize(("turn", "make"), _named(hostile_stores.ENCODERS))
def test_stores_of_a_stranger_s_encoder(place, turn, make, capsys):
    asked = {name: STORE_VERBS[name] for name in ("fit", "fit trunk", *ENCODES)}
    _check(place, make, STORE_VERBS if ALL else asked, capsys)


@pytest.mark.parametrize(("turn", "make"), _named(hostile_stores.REFUSED))
def test_stores_that_reach_out_or_hold_what_none_does(place, turn, make, capsys):
    _check(place, make, _by_turns(STORE_VERBS, turn), capsys)


@pytest.mark.parametrize(("turn", "make"), _named(hostile_stores.INDEXES))
def test_indexes_that_name_stores_elsewhere(place, turn, make, capsys):
    _check(place, make, _by_turns(STORE_VERBS, turn), capsys)


@pytest.mark.parametrize(("turn", "make"), _named(RUNS))
def test_runs_and_heads(place, turn, make, capsys):
    _check(place, make, _by_turns(RUN_VERBS, turn), capsys)


@pytest.mark.parametrize(("turn", "make"), _named(hostile_set.TARS))
def test_tars(place, turn, make, capsys):
    _check(place, make, DATASET_VERBS, capsys)


def test_a_manifest_given_to_verbs_that_read_tables(place, capsys):
    _check(place, hostile_set.manifest, TABLE_VERBS, capsys)


WITH_TRUST = [
    ["predict", "strange", "photos/1.png", "--trust-encoder"],
    ["search", "hub.h5", "a cod", "--trust-encoder", "-o", "found"],
    ["serve", "strange", "--port", "0", "--trust-encoder"],
    ["bundle", "strange", "-o", "bundled", "--trust-encoder"],
    ["extract", "photos", "--store", "made.h5", "--encoder", hostile_set.HUB],
    ["run", "photos", "--encoder", hostile_set.HUB],
]
RUN_ALL = """
import json
from pathlib import Path
from watched import Watch, watched
from fishembed.cli.app import app
from fishembed.cli.program.run_program import run_program
for words in json.loads(Path("words.json").read_text()):
    with watched(Watch([Path.cwd()], ("/etc/passwd",)), Path("../outside")) as watch:
        code = run_program(app, words)
    print("watched:", json.dumps([words, code, watch.seen]))
"""


@pytest.mark.slow
def test_a_model_of_the_hub_that_brings_code_and_is_trusted(place, tmp_path):
    """Its weights may be loaded; its code runs in no verb, also where somebody said yes to it."""
    hub = FakeHub(place / "mine")
    hub.add_transformers()
    texts = {"hf_tokenizer_name": "evil/clip", "tokenizer_kwargs": {"trust_remote_code": True}}
    model = {**CLIP, "text_cfg": {**CLIP["text_cfg"], **texts}}
    config = {"model_cfg": model, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.5] * 3}}
    weights = clip_weights(tmp_path)
    files = {"open_clip_config.json": config, "open_clip_model.safetensors": weights}
    hub.add("evil/clip", {**files, "evil.py": EVIL})
    hostile_stores.encoder_of_the_hub(place / "mine", place / "outside")
    RUNS[0](place / "mine", place / "outside")
    (place / "mine/words.json").write_text(json.dumps(WITH_TRUST))
    done = hub.run(RUN_ALL, ASK_NOBODY="yes", TMPDIR=str(place / "mine"))
    lines = [line for line in done.stdout.splitlines() if line.startswith("watched:")]
    assert len(lines) == len(WITH_TRUST), done.stderr
    for line in lines:
        words, code, seen = json.loads(line.partition(" ")[2])
        assert (code in EXPECTED - {DONE.code}, seen) == (True, []), (words, code, done.stderr)
    assert "Traceback" not in done.stderr
    assert done.stderr.count("'hf-hub:evil/clip' wants to run code") == len(WITH_TRUST), done.stderr
    assert not hub.evil.exists(), "code of the model ran"


def test_the_watch_sees(place):
    """Were the watch blind, all above would pass."""
    import socket
    import subprocess

    import h5py

    out = place / "outside"
    with watched(Watch([place / "mine"]), out) as watch:
        with suppress(OSError), socket.socket() as one:
            one.connect(("127.0.0.1", 9))
        with suppress(OSError):
            socket.getaddrinfo("example.org", 80)
        (out / "secret.txt").read_text()
        with h5py.File(out / "other.h5") as file:
            assert file["features/image"][0, 0] == 1
        subprocess.run(["/bin/true"], check=True)
    text = "\n".join(watch.seen)
    for word in ("socket.connect", "getaddrinfo", "secret.txt", "library: other.h5", "Popen"):
        assert word in text
