"""Writers of a store on S3 that are killed, or start together: old or new, whole, nothing lost.

With FISHEMBED_ALL_FAULTS=1 all verbs are killed 20 times each, and 2 to 10 start at once.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from pathlib import Path

import numpy as np
import pytest
from s3_server import s3_server
from small_pictures import draw
from test_s3_faults import VERBS, arrays, assert_whole, fresh
from upath import UPath

from fishembed.cache import FeatureStore
from fishembed.cli.program.exit_codes import DATA, DONE, LOCKED, NETWORK, USAGE

ALL = bool(os.environ.get("FISHEMBED_ALL_FAULTS"))
ENDS = {one.code for one in (DONE, USAGE, DATA, LOCKED, NETWORK)}

CONTEXT = multiprocessing.get_context("forkserver")
KILLED = {
    **VERBS,
    "extract": ["extract", "photos", "--store", "THERE/photos.h5", "--workers", "1"],
    "undo": ["fix", "THERE/a.h5", "--undo"],
}


SAMPLED = {name: KILLED[name] for name in ("extract", "fix", "shard")}


def work(folder: str, words: list[str], env: dict[str, str], ready, go) -> None:
    """Run a verb in a process of its own, once it is told to."""
    from fake_encoder import FakeEncoder

    from fishembed.cli.app import main
    from fishembed.extraction import encoder_loader

    os.environ.update(env)
    os.chdir(folder)
    said = os.open(f"said-{os.getpid()}.txt", os.O_WRONLY | os.O_CREAT)
    os.dup2(said, 1)
    os.dup2(said, 2)
    encoder_loader.load_encoder = lambda *_, **__: FakeEncoder(name="embedded")
    ready.release()
    go.wait()
    main(words)


@pytest.fixture(scope="module")
def bucket():
    pytest.importorskip("s3fs", reason="the extra 's3' is not installed")
    CONTEXT.set_forkserver_preload(
        [
            "fishembed.cli.app",
            "fishembed.audit",
            "fishembed.extraction",
            "s3fs",
            "upath",
            "fake_encoder",
        ]
    )
    with s3_server() as made:
        yield made


@pytest.fixture
def there(bucket, workspace, tmp_path, monkeypatch):
    monkeypatch.setenv("FISHEMBED_COPIES", str(tmp_path / "copies"))
    np.savez(workspace / "f.npz", **arrays())
    (workspace / "fix.csv").write_text("path,action,new_label\n3.png,drop,\n4.png,relabel,eel\n")
    for i in range(39):
        draw(workspace / f"photos/{'ab'[i % 2]}/{i}.png", i)
    root = UPath(bucket) / tmp_path.name
    yield root
    root.fs.invalidate_cache()
    if root.exists():
        root.fs.rm(root.path, recursive=True)


class Started:
    """Verbs in processes of their own, all of which are at the start until `go`."""

    def __init__(self, all_words: list[list[str]], there: UPath) -> None:
        ready, self._go = CONTEXT.Semaphore(0), CONTEXT.Event()
        env = {name: text for name, text in os.environ.items() if name.startswith("AWS_")}
        # Two of three share a machine, and so its locks; to the others only S3 says who was first.
        copies = [str(Path.cwd() / f"copies-{2 * i // 3}") for i in range(len(all_words))]
        self.processes = [
            CONTEXT.Process(
                target=work,
                args=(
                    str(Path.cwd()),
                    [word.replace("THERE", str(there)) for word in words],
                    env | {"FISHEMBED_COPIES": folder}, ready, self._go,
                ),
            )
            for words, folder in zip(all_words, copies, strict=True)
        ]  # fmt: skip
        for process in self.processes:
            process.start()
        for _ in self.processes:
            assert ready.acquire(timeout=120)

    def codes(self, kill_after: float | None = None) -> list[int | None]:
        """Let them go; return how they ended, below zero where they were killed."""
        self._go.set()
        if kill_after is not None:
            time.sleep(kill_after)
            for process in self.processes:
                process.kill()
        for process in self.processes:
            process.join()
        return [process.exitcode for process in self.processes]


def said() -> str:
    return "\n".join(path.read_text() for path in Path.cwd().glob("said-*.txt"))


@pytest.mark.slow
@pytest.mark.parametrize("verb", KILLED if ALL else SAMPLED)
def test_killed_at_random_a_store_is_the_old_or_the_new(there, verb):
    rng = random.Random(verb)
    fresh(there)
    if verb == "undo":
        assert Started([VERBS["fix"]], there).codes() == [0]
    began = time.perf_counter()
    # What there is to do is done once, to know how long it takes.
    assert Started([KILLED[verb]], there).codes() == [0], said()
    whole = time.perf_counter() - began
    for _ in range(20 if ALL else 1):
        fresh(there)
        if verb == "undo":
            Started([VERBS["fix"]], there).codes()
        Started([KILLED[verb]], there).codes(rng.uniform(0.0, whole))
        assert_whole(there)
    # Whoever comes next is not kept out by what the killed one held.
    assert Started([KILLED[verb]], there).codes()[0] in (0, 2, 3), said()
    assert_whole(there)
    assert "Traceback" not in said()
    assert "unexpected" not in said()


@pytest.mark.parametrize(
    "n", [3, *(pytest.param(n, marks=pytest.mark.slow) for n in (2, 5, 7, 10) if ALL)]
)
def test_fixes_that_start_at_once_are_in_the_store_or_were_refused(there, n):
    fresh(there)
    for i in range(n):
        Path(f"fix{i}.csv").write_text(f"path,action,new_label\n{i}.png,drop,\n")
    codes = Started([["fix", "THERE/a.h5", f"fix{i}.csv"] for i in range(n)], there).codes()
    assert set(codes) <= ENDS, said()
    assert "unexpected" not in said()
    assert 0 in codes
    there.fs.invalidate_cache()
    with FeatureStore.open(str(there / "a.h5")) as store:
        assert store.verify() == []
        gone = {i for i in range(n) if f"{i}.png" not in store.paths}
        assert gone == {i for i, code in enumerate(codes) if code == 0}
        assert len(store.history) == len(gone)


@pytest.mark.slow
@pytest.mark.parametrize(
    "verb", ["extract", "import", *(["merge", "index", "shard", "split"] if ALL else [])]
)
def test_verbs_that_start_at_once_leave_one_whole_store(there, verb):
    for n in (2, 4, 6, 10) if ALL else (3,):
        fresh(there)
        codes = Started([KILLED[verb]] * n, there).codes()
        assert set(codes) <= ENDS, (codes, said())
        assert 0 in codes, (codes, said())
        assert "unexpected" not in said()
        assert_whole(there)
