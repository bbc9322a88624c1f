"""Where things lie when nothing is named: ./data, ./cache, ./reports, or the environment's."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed.cli.console import Console
from fishembed.remote import as_place, is_remote

if TYPE_CHECKING:
    from fishembed.remote import Place


def data_folder() -> str:
    """Give the folder of pictures: FISHEMBED_DATA, which may be a URL, else ./data."""
    return os.environ.get("FISHEMBED_DATA", "data")


def cache_folder() -> Path:
    """Give the folder of stores: FISHEMBED_CACHE, else ./cache."""
    return Path(os.environ.get("FISHEMBED_CACHE", "cache"))


def reports_folder() -> Path:
    """Give the folder of runs: FISHEMBED_REPORTS, else ./reports."""
    return Path(os.environ.get("FISHEMBED_REPORTS", "reports"))


def chosen_store(named: Path | None, console: Console) -> Place:
    """Give the store that was named, by place or by its name in the cache, or the newest."""
    from fishembed.cache import newest_store

    if named is None:
        store = newest_store(cache_folder())
        console.note(f"store: {store} (the newest in {cache_folder()})")
        return store
    store = as_place(named)
    inside = as_place(cache_folder()) / f"{named}.h5"
    if not is_remote(store) and not store.is_file() and inside.is_file():
        store = inside
    console.note(f"store: {store}")
    return store


def chosen_stores(named: list[Path] | None, console: Console) -> list[Place]:
    """Give the stores that were named, or the newest."""
    return [chosen_store(one, console) for one in named] if named else [chosen_store(None, console)]


def chosen_run(named: Path | None, console: Console) -> Path:
    """Give the run that was named, by path or by its name in the reports, or the newest."""
    from fishembed.reports import newest_run

    if named is None:
        run = newest_run(reports_folder())
        console.note(f"run: {run} (the newest in {reports_folder()})")
        return run
    run = found_run(named)
    console.note(f"run: {run}")
    return run


def found_run(named: Path) -> Path:
    """Give the run that is named by path, or by its name in the reports."""
    inside = reports_folder() / named
    return inside if not (named / "run.json").is_file() and inside.is_dir() else named
