from __future__ import annotations

from pathlib import Path

from fishembed._base.default_dirs import cache_dir, data_dir, reports_dir


def test_folders_of_the_workspace_unless_the_environment_names_others(monkeypatch):
    assert (data_dir(), cache_dir(), reports_dir()) == ("data", Path("cache"), Path("reports"))
    monkeypatch.setenv("FISHEMBED_DATA", "s3://bucket/{0..9}.tar")
    monkeypatch.setenv("FISHEMBED_CACHE", "memory://stores")
    monkeypatch.setenv("FISHEMBED_REPORTS", "/runs")
    assert data_dir() == "s3://bucket/{0..9}.tar"
    assert str(cache_dir()) == "memory://stores"
    assert reports_dir() == Path("/runs")
