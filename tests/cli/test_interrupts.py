"""The program in a terminal of 80 columns: progress, Ctrl-C, and what is kept then."""

from __future__ import annotations

import os
import re
import select
import signal
import struct
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fishembed import FeatureStore, import_features

pty = pytest.importorskip("pty")

PROGRAM = [sys.executable, "-m", "fishembed"]
LIMIT = 300
"""Seconds after which a program that does not end is given up."""


def in_terminal(*words, interrupt_at=None):
    """Run the program in a terminal; press Ctrl-C once it shows a text; return code and screen."""
    import fcntl
    import termios

    child, terminal = pty.fork()
    if child == 0:
        os.environ.pop("COLUMNS", None)
        # What a shell starts in the background ignores Ctrl-C, and so would its children.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.execv(sys.executable, [*PROGRAM, *words])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    screen, pressed, began = b"", False, time.monotonic()
    while time.monotonic() - began < LIMIT:
        if select.select([terminal], [], [], 0.1)[0]:
            try:
                screen += os.read(terminal, 65_536)
            except OSError:  # the other end was closed
                break
        if interrupt_at and not pressed and re.search(interrupt_at, plain(screen)):
            os.write(terminal, b"\x03")
            pressed = True
    else:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]  # a terminal that is closed before hangs up on what still ends
    os.close(terminal)
    return os.waitstatus_to_exitcode(status), plain(screen)


def plain(screen):
    """Return what a terminal shows, line by line, without colours and cursor moves."""
    text = screen.decode(errors="replace").replace("\x1b[2K", "\n")  # a line that is cleared
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", text)


@pytest.fixture
def large(workspace):
    """Import enough rows that a choice of heads takes seconds."""
    rng = np.random.default_rng(0)
    labels = np.arange(20_000) % 40
    features = rng.normal(size=(40, 256))[labels] + 2 * rng.normal(size=(20_000, 256))
    arrays = {"features": features.astype(np.float32), "labels": labels}
    return import_features(arrays, "cache/large.h5")


@pytest.mark.slow
def test_a_fit_shows_progress_and_leaves_nothing_behind(large):
    code, screen = in_terminal("fit", "large", interrupt_at=r"comparing candidates")
    assert code == 130
    assert "interrupted: nothing was written; the same command starts again" in screen
    assert "Traceback" not in screen
    left = Path("reports").iterdir() if Path("reports").exists() else ()
    assert not [path for path in left if not path.name.startswith(".")]
    assert "interrupted: nothing was written; the same command starts again" in re.split(
        r"[\r\n]+", screen
    )  # on a line of its own


@pytest.mark.slow
def test_an_extraction_keeps_what_it_has_and_goes_on(workspace):
    rng = np.random.default_rng(0)
    for i in range(600):
        path = Path("p", "ab"[i % 2], f"{i}.jpg")
        path.parent.mkdir(parents=True, exist_ok=True)
        pixels = rng.integers(0, 256, (300, 300, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(path)
    words = ("extract", "p", "-e", "embedded")
    code, screen = in_terminal(*words, interrupt_at=r"[1-9]\d+ of 600 ")
    assert code == 130
    assert re.search(r"interrupted: [\d,]+ of 600 images are done and kept", screen)
    assert "Traceback" not in screen
    code, screen = in_terminal(*words)
    assert code == 0
    reused = re.search(r"600 rows: [\d,]+ new, 0 changed, ([\d,]+) reused", screen)
    with FeatureStore.open("p") as store:
        assert len(store) == 600
    assert reused is None or int(reused[1]) >= 0
    assert max(len(line) for line in re.split(r"[\r\n]+", screen)) <= 80
