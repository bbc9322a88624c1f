"""No process outlives the one that started it, however that ends."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import pytest
from small_pictures import draw

import fishembed
from fishembed import classifiers
from fishembed._base.runtime import end_with_parent

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="needs /proc")

DRAW = """
from fishembed.demo.dataset import draw_dataset
draw_dataset("fish", n_jobs=2)
"""
EXTRACT = """
from fishembed.extraction import extract
from fishembed.extraction.local_engine import LocalEngine
from fake_encoder import FakeEncoder
extract(
    "photos", "a.h5", encoder=FakeEncoder(seconds=60), batch_size=2, workers=2,
    engine=LocalEngine(processes=True),
)
"""
LAY_OUT = """
import numpy as np
from fishembed.reports.dimension_reduction import reduce_in_subprocess
reduce_in_subprocess(np.random.default_rng(0).normal(size=(9000, 64)).astype("f4"))
"""


def _marked(mark: str) -> list[str]:
    """Return the command lines of living processes that have a mark in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            if mark.encode() in (process / "environ").read_bytes():
                found.append((process / "cmdline").read_bytes().replace(b"\0", b" ").decode())
    return found


def _until(good, seconds: float = 120) -> None:
    until = time.monotonic() + seconds
    while not good():
        assert time.monotonic() < until
        time.sleep(0.1)


@pytest.mark.slow
@pytest.mark.parametrize("code", [DRAW, EXTRACT, LAY_OUT], ids=["draw", "extract", "lay out"])
def test_children_end_when_their_parent_is_killed(workspace, code):
    for i in range(8):
        draw(workspace / "photos" / f"{i}.png", i)
    mark = f"FISHEMBED_TEST_MARK_{os.urandom(8).hex()}"
    path = os.pathsep.join(filter(None, sys.path))
    process = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "MARK": mark, "PYTHONPATH": path}
    )
    try:
        _until(lambda: len(_marked(mark)) > 1)
        time.sleep(0.5)
    finally:
        process.kill()
        process.wait()
    _until(lambda: not _marked(mark))


def test_the_process_itself_goes_on():
    end_with_parent(os.getpid())
    time.sleep(0.1)


def test_names_are_listed_and_unknown_ones_refused():
    assert set(fishembed.__all__) <= set(dir(fishembed))
    assert set(classifiers.__all__) <= set(dir(classifiers))
    with pytest.raises(AttributeError, match="'fishembed' has no attribute 'nothing'"):
        _ = fishembed.nothing


def test_importing_loads_nothing_heavy():
    code = (
        "import sys, fishembed; "
        "print({'torch', 'sklearn', 'h5py', 'numpy', 'matplotlib'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
