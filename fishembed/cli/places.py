"""Where things lie when nothing is named: ./data, ./cache, ./reports, or the environment's."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.default_dirs import cache_dir, reports_dir
from fishembed._base.paths import is_remote, to_path
from fishembed.cli.console import Console

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


def chosen_store(named: Path | None, console: Console) -> AnyPath:
    """Give the store that was named, by place or by its name in the cache, or the newest."""
    from fishembed.cache import newest_store

    if named is None:
        store = newest_store(cache_dir())
        console.message(f"store: {store} (the newest in {cache_dir()})")
        return store
    store = to_path(named)
    inside = cache_dir() / f"{named}.h5"
    if not is_remote(store) and not store.is_file() and inside.is_file():
        store = inside
    console.message(f"store: {store}")
    return store


def chosen_stores(named: list[Path] | None, console: Console) -> list[AnyPath]:
    """Give the stores that were named, or the newest."""
    return [chosen_store(one, console) for one in named] if named else [chosen_store(None, console)]


def chosen_run(named: Path | None, console: Console) -> Path:
    """Give the run that was named, by path or by its name in the reports, or the newest."""
    from fishembed.reports import newest_run

    if named is None:
        run = newest_run(reports_dir())
        console.message(f"run: {run} (the newest in {reports_dir()})")
        return run
    run = found_run(named)
    console.message(f"run: {run}")
    return run


def found_run(named: Path) -> Path:
    """Give the run that is named by path, or by its name in the reports."""
    inside = reports_dir() / named
    return inside if not (named / "run.json").is_file() and inside.is_dir() else named
