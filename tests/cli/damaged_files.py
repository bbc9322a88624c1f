"""Stores, indexes, heads and runs with a flipped byte or a cut end, read by every verb.

All runs in forks of one process that has everything loaded, so that hundreds take minutes.
"""

from __future__ import annotations

import contextlib
import csv
import functools
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from unittest import mock

import h5py
import numpy as np
import typer
from fake_encoder import FakeEncoder
from small_pictures import draw

from fishembed import Run, run_fit, run_zeroshot
from fishembed.audit import fix_store
from fishembed.cache import shard_store
from fishembed.cli.program.exit_codes import DATA, DONE, LOCKED, USAGE
from fishembed.experiments.few_shot import FewShotSettings
from fishembed.experiments.field_questions import answer_field_questions

STORE_VERBS: dict[str, list[str]] = {
    "info": ["info", "STORE", "--json"],
    "info --verify": ["info", "STORE", "--verify", "--json"],
    "runs": ["runs", "--json"],
    "report": ["report", "REPORTED", "--format", "md"],
    "report page": ["report", "REPORTED", "--format", "html"],
    "compare": ["compare", "REPORTED", "zero", "--output", "compare.html", "--json"],
    "predict": ["predict", "other", "STORE", "-o", "p.csv"],
    "predict --evidence": ["predict", "REPORTED", "b.h5", "--evidence", "-o", "pe.csv"],
    "fit": ["fit", "STORE", "--head", "logistic", "--run", "new", "--json"],
    "fit trunk": ["fit", "STORE", "--head", "centroid", "--features", "trunk", "--run", "newt"],
    "zeroshot": ["zeroshot", "STORE", "--run", "newz", "--json"],
    "audit": ["audit", "STORE", "--name", "audited", "--json"],
    "export": ["export", "e.npz", "--store", "STORE", "--prompts", "single"],
    "export folder": ["export", "e", "--store", "STORE"],
    "export manifest": ["export", "m.csv", "--store", "STORE", "--format", "manifest"],
    "import": ["import", "STORE", "--store", "imported.h5"],
    "merge": ["merge", "merged.h5", "STORE", "b.h5"],
    "merge index": ["merge", "merged.json", "STORE", "b.h5"],
    "shard": ["shard", "STORE", "again.json", "--rows", "25"],
    "search": ["search", "STORE", "a cod", "-o", "found"],
    "cluster": ["cluster", "STORE", "--all", "--method", "kmeans", "--clusters", "3",
                "-o", "clusters"],
    "suggest": ["suggest", "STORE", "--run", "other", "-o", "next"],
    "taxonomy": ["taxonomy", "STORE", "--offline", "-o", "taxa.csv"],
    "split": ["split", "STORE", "--seed", "5"],
    "fix": ["fix", "STORE", "fix.csv"],
    "fix --undo": ["fix", "STORE", "--undo"],
}  # fmt: skip
RUN_VERBS: dict[str, list[str]] = {
    "runs": ["runs", "--json"],
    "report": ["report", "mine", "--format", "md"],
    "report page": ["report", "mine", "--format", "html"],
    "compare": ["compare", "zero", "mine", "--output", "compare.html", "--json"],
    "predict": ["predict", "mine", "a.h5", "-o", "p.csv"],
    "predict --evidence": ["predict", "mine", "b.h5", "--evidence", "--sets", "0.9",
                           "-o", "pe.csv"],
    "audit --run": ["audit", "a.h5", "--run", "mine", "--no-photos", "--name", "audited"],
    "suggest": ["suggest", "a.h5", "--run", "mine", "-o", "next"],
}  # fmt: skip
WRITES_THE_STORE = ("split", "fix", "fix --undo")

SLOW, SELDOM = ("report page",), 20
"""What every twentieth damage is tried on."""
ONE_FILE = (*WRITES_THE_STORE, "import")

VARIES = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z)?( UTC)?"
    r"|Seconds: [^<]*|\d+(\.\d+)? (s|ms|seconds|minutes|min)\b|[0-9a-f]{16,64}"
)
"""Times, and hashes of what holds times."""
_TIMED = frozenset(
    {"seconds", "created", "when", "wall", "extraction", "checksum", "files", "fingerprint",
     "head.joblib", "load", "fit", "score", "total"}
)  # fmt: skip
_NEVER_ENDS = 300
_EXPECTED = (USAGE.code, DATA.code, LOCKED.code)
"""Exit codes: no such thing, damaged, and said by HDF5 to be open elsewhere."""


@dataclass(frozen=True)
class Kind:
    """What is damaged, and by which verbs it is read."""

    files: tuple[str, ...]
    verbs: dict[str, list[str]]
    words: dict[str, str] = field(default_factory=dict)


def kinds(folder: Path) -> dict[str, Kind]:
    """Return what is damaged in a folder that `workspace_to_damage` made."""
    run = sorted(p.name for p in (folder / "reports/mine").iterdir() if p.is_file())
    parts = sorted(f"cut/{p.name}" for p in (folder / "cut").iterdir())
    return {
        "store": Kind(("a.h5",), STORE_VERBS, {"STORE": "a.h5", "REPORTED": "mine"}),
        "index": Kind(
            ("cut.json", "cut.json", *parts),
            {name: words for name, words in STORE_VERBS.items() if name not in ONE_FILE},
            {"STORE": "cut.json", "REPORTED": "sharded"},
        ),
        "head": Kind(("reports/mine/head.npz",), RUN_VERBS),
        "run": Kind(
            tuple(f"reports/mine/{n}" for n in run if not n.startswith("head.")), RUN_VERBS
        ),
    }


def workspace_to_damage(folder: Path) -> Path:
    """Fill a folder: two stores, one of them also in parts, runs on each, and a table of fixes."""
    from fishembed.extraction import extract

    rng = np.random.default_rng(0)
    for name, first in (("a", 0), ("b", 100)):
        lines = ["path,label,split,group,site,depth"]
        for i in range(first, first + 60):
            draw(folder / "photos" / f"{i}.png", i)
            label, split = ("cod", "eel", "ray", "")[i % 4], ("train", "val", "test")[i // 4 % 3]
            split = split if label else ""
            lines.append(f"photos/{i}.png,{label},{split},t{i // 2},s{i % 2},{rng.random():.3f}")
        lines.append("photos/gone.png,cod,train,t,s,1")
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
        encoder = FakeEncoder(width=12)
        extract(
            folder / f"{name}.csv", folder / f"{name}.h5", encoder=encoder, trunk=True,
            prompts=["single"], workers=1,
        )  # fmt: skip
    fixes = "path,action,new_label\nphotos/5.png,drop,\nphotos/8.png,relabel,eel\n"
    (folder / "fixed.csv").write_text(fixes)
    fix_store(folder / "a.h5", folder / "fixed.csv")
    (folder / "fix.csv").write_text("path,action,new_label\nphotos/4.png,drop,\n")
    shard_store(folder / "a.h5", 20, folder / "cut.json")
    here = Path.cwd()
    os.chdir(folder)
    try:
        run_fit("a.h5", head="auto", run="mine", shots=FewShotSettings((1, 2), 2))
        run_fit("a.h5", head="centroid", run="other")
        run_fit("cut.json", head="logistic", run="sharded")
        run_zeroshot("a.h5", run="zero")
        answer_field_questions(Run.open("reports/mine"))
    finally:
        os.chdir(here)
    return folder


def damage(data: bytes, rng: random.Random, *, cut: bool) -> bytes:
    """Flip one to eight bits of one byte, or cut the end off."""
    at = rng.randrange(len(data))
    if cut:
        return data[:at]
    return data[:at] + bytes([data[at] ^ rng.randrange(1, 256)]) + data[at + 1 :]


def answers(folder: Path, kind: Kind, verbs: list[str], broken: str = "", data: bytes = b""):
    """Copy the folder, damage a file of it, run the verbs on it in a fork; see `_answer`."""
    with tempfile.TemporaryDirectory(dir=folder.parent) as copy:
        now = Path(copy) / "now"
        shutil.copytree(folder, now, ignore=shutil.ignore_patterns("photos"))
        out = Path(copy) / "answers.json"
        child = os.fork()
        if not child:
            with contextlib.suppress(BaseException):
                os.chdir(now)
                _run_all(now, kind, verbs, broken, data, out)
            os._exit(0)
        return _wait(child, out)


def _wait(child: int, out: Path) -> dict[str, list[object]]:
    until = time.monotonic() + _NEVER_ENDS
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > until:
            os.kill(child, signal.SIGKILL)  # the next turn waits for it
        time.sleep(0.005)
    lines = out.read_text().splitlines() if out.is_file() else []
    return {name: rest for name, *rest in map(json.loads, lines)}


def _run_all(folder: Path, kind: Kind, verbs: list[str], broken: str, data: bytes, out: Path):
    whole = data or None
    with out.open("w") as file:
        for name in verbs:
            if broken:
                (folder / broken).write_bytes(data)
            elif name in WRITES_THE_STORE and whole is None:
                whole = (folder / kind.files[0]).read_bytes()
            words = [kind.words.get(word, word) for word in kind.verbs[name]]
            began = time.perf_counter()
            answer = _answer(folder, words)
            file.write(json.dumps([name, *answer, time.perf_counter() - began]) + "\n")
            file.flush()
            if whole is not None and not broken and name in WRITES_THE_STORE:
                (folder / kind.files[0]).write_bytes(whole)


def _answer(folder: Path, words: list[str]) -> tuple[int, str, str, dict[str, str]]:
    """Run a verb: its exit code, what it printed and complained, and what it wrote."""
    from fishembed.cli.program.run_program import run_program

    before = _stamps(folder)
    out, err = _Text(), _Text()
    with (
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
        mock.patch("fishembed.explore.search.load_recorded_encoder", _fake),
        mock.patch.object(sys, "argv", ["fishembed", *words]),
    ):
        code = run_program(_program(), words)
    wrote = {
        str(path.relative_to(folder)): _digest(path)
        for path, stamp in _stamps(folder).items()
        if before.get(path) != stamp
    }
    return code, _plain(out.getvalue()), VARIES.sub("·", err.getvalue()), wrote


class _Text(io.StringIO):
    encoding = "utf-8"


def _fake(*_: object, **__: object) -> FakeEncoder:
    return FakeEncoder(width=12)


def _stamps(folder: Path) -> dict[Path, tuple[int, int]]:
    found = {}
    for path in folder.rglob("*"):
        if path.is_file() and not path.name.endswith(".lock"):
            state = path.stat()
            found[path] = state.st_mtime_ns, state.st_ino
    return found


def _plain(text: str) -> str:
    """Return text, or a JSON document in it, without what differs from run to run."""
    try:
        document = json.loads(text)
    except ValueError:
        return VARIES.sub("·", text)
    return VARIES.sub("·", json.dumps(_untimed(document), sort_keys=True))


def _untimed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _untimed(one) for key, one in value.items() if key not in _TIMED}
    return [_untimed(one) for one in value] if isinstance(value, list) else value


def _digest(path: Path) -> str:
    """Return a hash of what a file says, without times."""
    raw = path.read_bytes()
    if raw.startswith(b"\x89HDF"):
        raw = _hdf5_text(path).encode()
    elif raw.startswith(b"PK"):
        raw = _npz_text(raw).encode()
    elif path.suffix != ".joblib":
        raw = _plain(raw.decode("utf-8", "surrogateescape")).encode("utf-8", "surrogateescape")
    return "" if path.suffix in (".joblib", ".log") else hashlib.sha256(raw).hexdigest()[:12]


def _hdf5_text(path: Path) -> str:
    found = []
    with h5py.File(path) as file:

        def visit(name: str, item: object) -> None:
            if isinstance(item, h5py.Dataset) and "history" not in name:
                found.append((name, hashlib.sha256(item[()].tobytes()).hexdigest()))

        file.visititems(visit)
        keep = {n: str(v) for n, v in file.attrs.items() if n in ("encoder", "source", "format")}
    return repr((sorted(found), sorted(keep.items())))


def _npz_text(raw: bytes) -> str:
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        return repr([(n, arrays[n].shape, arrays[n].tobytes().hex()) for n in sorted(arrays.files)])


def verdict(before: list[object], after: list[object] | None) -> str:
    """Return how a verb took a damaged file: error, same, said, or what must not be."""
    if after is None:
        return "CRASH OR HANG"
    code, out, err, wrote, *_ = after
    bad = "Traceback" in f"{err}{out}" or "unexpected" in f"{err}{out}"
    if bad or code not in (DONE.code, *_EXPECTED):
        return "TRACEBACK"
    if code != DONE.code:
        return "error"
    if (out, wrote) == (before[1], before[3]):
        return "same"
    return "said" if says(f"{out}{err}") else "DIFFERENT"


def says(text: str) -> bool:
    words = ("damaged", "is not as it was written", "cannot read", "cannot be read", "not a JSON",
             "no run", "has changed", "is not a readable", "is no index")  # fmt: skip
    return any(word in text for word in words)


@functools.lru_cache(1)
def _program():
    """Build the commands once, not for each verb."""
    from fishembed.cli.app import app

    return typer.main.get_command(app)


def warm(folder: Path) -> None:
    """Load what verbs load, so that forks have it."""
    for kind in kinds(folder).values():
        with tempfile.TemporaryDirectory(dir=folder.parent) as copy:
            now = Path(copy) / "now"
            shutil.copytree(folder, now)
            here = Path.cwd()
            os.chdir(now)
            _run_all(now, kind, list(kind.verbs), "", b"", Path(copy) / "answers.json")
            os.chdir(here)


def check(
    folder: Path, name: str, flips: int, cuts: int, seed: int = 0, turns: int = 1
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Damage what a folder has of one kind many times, and count how each verb took it.

    Parameters
    ----------
    turns
        Each damage is tried on every so many-th verb, by turns.

    Returns
    -------
    counts, faults
        Verdicts by verb, and a line for each that must not be.
    """
    kind = kinds(folder)[name]
    every = list(kind.verbs)
    whole, again = answers(folder, kind, every), answers(folder, kind, every)
    for verb in every:
        assert whole[verb][0] == 0, (verb, whole[verb])
        assert verdict(whole[verb], again[verb]) == "same", (verb, whole[verb], again[verb])
    rng = random.Random(f"{name}{seed}")
    counts: dict[str, Counter[str]] = {verb: Counter() for verb in every}
    faults = []
    for number in range(flips + cuts):
        broken = rng.choice(kind.files)
        data = damage((folder / broken).read_bytes(), rng, cut=number >= flips)
        some = [
            verb
            for at, verb in enumerate(every)
            if (number % SELDOM == 0 if verb in SLOW else (number + at) % turns == 0)
        ]
        found = answers(folder, kind, some, broken, data)
        for verb in some:
            one = verdict(whole[verb], found.get(verb))
            counts[verb][one] += 1
            if one.isupper():
                about = _short(found.get(verb), whole[verb])
                faults.append(f"{verb}: {one}: {broken}, number {number}: {about}")
    return counts, faults


def _short(found: list[object] | None, whole: list[object]) -> str:
    if found is None:
        return ""
    code, out, err, wrote, *_ = found
    differs = [name for name in {*wrote, *whole[3]} if wrote.get(name) != whole[3].get(name)]
    return f"{code} {err[-300:]!r} {out[:200] if out != whole[1] else ''!r} {differs}"


def table(counts: dict[str, Counter[str]]) -> str:
    """Return counts as CSV."""
    columns = sorted({key for one in counts.values() for key in one})
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["verb", *columns])
    writer.writerows([verb, *(one[key] for key in columns)] for verb, one in counts.items())
    return out.getvalue()
