"""Verbs in processes of their own, so that they can be killed or starved of disk."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
PRELOADED = [
    *("fishembed.cli.app", "fishembed.audit", "fishembed.explore", "fishembed.reports"),
    *("fishembed.experiments.fitting", "fishembed.classifiers.auto", "jinja2"),
    *("pydantic.dataclasses", "scipy.sparse.csgraph", "sklearn.cluster"),
]
"""What the verbs import: loaded once, and not by each of the processes that are killed."""

CONTEXT.set_forkserver_preload(PRELOADED)

VERBS: dict[str, list[str]] = {
    "import": ["import", "f.npz", "--store", "a.h5"],
    "fix": ["fix", "a.h5", "fix.csv"],
    "split": ["split", "a.h5", "--seed", "5"],
    "merge": ["merge", "merged.h5", "a.h5"],
    "index": ["merge", "merged.json", "a.h5"],
    "shard": ["shard", "a.h5", "cut.json", "--rows", "9"],
    "export": ["export", "e.npz", "--store", "a.h5"],
    "fit": ["fit", "a.h5", "--head", "centroid"],
    "predict": ["predict", "first", "a.h5", "-o", "p.csv"],
    "report": ["report", "first", "--format", "md"],
    "audit": ["audit", "a.h5", "--no-photos"],
    "zeroshot": ["zeroshot", "a.h5"],
    "compare": ["compare", "first", "second"],
    "cluster": ["cluster", "a.h5", "--all", "--method", "kmeans", "--clusters", "2"],
    "manifest": ["export", "m.csv", "--store", "a.h5", "--format", "manifest"],
    "taxonomy": ["taxonomy", "a.h5", "--offline", "-o", "t.csv"],
}


def run_verb(folder: Path, verb: str, fault: str = "", call: int = 0) -> None:
    """Run a verb; be killed before a call of a function, or let files grow to `call` bytes."""
    from fishembed.cli.app import main

    os.chdir(folder)
    quiet = os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(os.open(folder.parent / "said.txt", os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    if fault == "disk":
        import resource

        resource.setrlimit(resource.RLIMIT_FSIZE, (call, resource.RLIM_INFINITY))
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    elif fault:
        _kill_before(fault, call)
    with contextlib.suppress(BrokenPipeError):
        main(VERBS[verb])


def _kill_before(name: str, call: int) -> None:
    real, left = getattr(os, name), [call]

    def deadly(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(os, name, deadly)


def run(folder: Path, verb: str, fault: str = "", call: int = 0, kill_after: float | None = None):
    """Return how a verb ended: its exit code, below zero where it was killed."""
    process = CONTEXT.Process(target=run_verb, args=(folder, verb, fault, call))
    process.start()
    process.join(kill_after)
    if process.is_alive() and kill_after is not None:
        process.kill()
    process.join()
    return process.exitcode
