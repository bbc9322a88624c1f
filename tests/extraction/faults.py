"""Extractions in processes of their own, so that they can be killed or starved."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable
from pathlib import Path

from fake_encoder import FakeEncoder

from fishembed.errors import StoreWriteError
from fishembed.extraction import extract
from fishembed.extraction import known_features as known_features_module

CONTEXT = multiprocessing.get_context("forkserver")
# What is preloaded must be installed: the server does not know the folder of the tests.
CONTEXT.set_forkserver_preload(["fishembed.extraction.extract", "PIL.PngImagePlugin"])


def extract_slowly(photos: Path, store: Path, seconds: float, every: float) -> None:
    """Encode two pictures at a time and save a part every few milliseconds."""
    known_features_module.PART_SECONDS = every
    encoder = FakeEncoder(seconds=seconds, width=16)
    extract(photos, store, encoder=encoder, batch_size=2, workers=1, trunk=True)


def extract_embedded(photos: Path, store: Path) -> None:
    """Encode with the encoder that comes with the install; every batch becomes a part."""
    known_features_module.PART_SECONDS = -1.0
    extract(photos, store, encoder="embedded", device="cpu", batch_size=2)


def extract_until(photos: Path, store: Path, name: str, call: int) -> None:
    """Be killed just before the nth call of a function of the operating system."""
    real: Callable[..., object] = getattr(os, name)
    left = [call]

    def deadly(*args: object, **kwargs: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(*args, **kwargs)

    setattr(os, name, deadly)
    extract_slowly(photos, store, 0.0, -1.0)


def extract_on_small_disk(photos: Path, store: Path, limit: int, every: float) -> None:
    """Let no file grow beyond `limit` bytes; end with 0 done, 3 a clear error, 1 any other."""
    import resource

    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    try:
        extract_slowly(photos, store, 0.0, every)
    except StoreWriteError as error:
        good = "File too large" in str(error) and "untouched" in str(error)
        raise SystemExit(3 if good else 1) from error
    raise SystemExit(0)


def run(function: Callable[..., None], *args: object, kill_after: float | None = None) -> int:
    """Run a function in a process, perhaps kill it, and give the exit code."""
    process = CONTEXT.Process(target=function, args=args)
    process.start()
    process.join(kill_after)
    if process.is_alive() and kill_after is not None:
        process.kill()
    process.join()
    return process.exitcode
