"""What every test gets: its own workspace, no network, real data only where asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from browser_page import axe, chromium  # noqa: F401 - fixtures
from hypothesis import settings

# Tests never assert times: a busy machine is no failure.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


def pytest_configure() -> None:
    """Let each of several workers use its share of the cores: threads that wait for others spin."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "0"))
    if workers:
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, (os.cpu_count() or 1) // workers)))


@pytest.fixture(autouse=True)
def workspace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Run each test in an empty folder, so that none can touch a real cache or report."""
    folder = tmp_path / "workspace"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in ("FISHEMBED_CACHE", "FISHEMBED_REPORTS", "FISHEMBED_DATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return folder


@pytest.fixture
def realdata() -> Path:
    """Give the folder of real photos and vectors, or skip."""
    folder = os.environ.get("FISHEMBED_REALDATA")
    if not folder:
        pytest.skip("FISHEMBED_REALDATA is not set")
    return Path(folder)


@pytest.fixture(autouse=True)
def no_width(monkeypatch):
    """Print lines as long as they are, also where what runs the tests names a width."""
    monkeypatch.delenv("COLUMNS", raising=False)
