"""Find the stores and runs that arguments name, or the newest ones, and print which."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.default_dirs import cache_dir, reports_dir
from fishembed._base.paths import is_remote, to_path
from fishembed.cli.console import Console

if TYPE_CHECKING:
    from fishembed._base.paths import AnyPath


def resolve_store(named: Path | None, console: Console) -> AnyPath:
    """Return the store with this path, or with this name in the cache, or the newest."""
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


def resolve_stores(named: list[Path] | None, console: Console) -> list[AnyPath]:
    """Return the stores with these paths or names, or the newest."""
    return (
        [resolve_store(one, console) for one in named] if named else [resolve_store(None, console)]
    )


def resolve_run(named: Path | None, console: Console) -> Path:
    """Return the run with this path, or with this name in the reports, or the newest."""
    from fishembed.experiments import newest_run

    if named is None:
        run = newest_run(reports_dir())
        console.message(f"run: {run} (the newest in {reports_dir()})")
        return run
    run = find_run(named)
    console.message(f"run: {run}")
    return run


def find_run(named: Path) -> Path:
    """Return the run with this path, or with this name in the reports."""
    inside = reports_dir() / named
    return inside if not (named / "run.json").is_file() and inside.is_dir() else named
