"""Find the stores and runs that arguments name, or the newest ones, and print which."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import cache_dir, is_remote, reports_dir, to_path
from fishembed.cli.program.console import Console
from fishembed.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fishembed._base.paths import AnyPath


RUN_JSON = "run.json"


def resolve_store(named: Path | None, console: Console) -> AnyPath:
    """Return the store with this path, or with this name in the cache, or the newest."""
    from fishembed.cache import newest_store

    if named is None:
        store = newest_store(cache_dir())
        console.message(f"store: {store} (the newest in {cache_dir()})")
        return store
    store = find_store_named(named)
    console.message(f"store: {store}")
    return store


def find_store_named(named: str | Path) -> AnyPath:
    """Return the store with this path, or with this name in the cache, whatever its ending.

    Raises
    ------
    InputError
        When a run has this name, and no store has.
    """
    from fishembed.cache import find_store

    store = to_path(named)
    if is_remote(store) or store.is_file():
        return store
    inside = find_store(named, cache_dir())
    if inside is None and (run := _run_folder(Path(named))) is not None:
        raise InputError(f"{str(run)!r} is a run, not a store: name a store{_made_on(run)}")
    return inside or store


def find_inputs(named: Sequence[str]) -> list[str]:
    """Return images and stores to classify: names of stores in the cache as their paths.

    Raises
    ------
    InputError
        When one is a run.
    """
    from fishembed.cache import find_store

    found: list[str] = []
    for name in named:
        path = to_path(name)
        if is_remote(path):
            found.append(name)
            continue
        if _is_run(path):
            raise InputError(
                f"{name!r} is a run, not images: name images, or a store{_made_on(path)}"
            )
        inside = None if path.exists() else find_store(name, cache_dir())
        found.append(name if inside is None else str(inside))
    return found


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


def find_run(named: Path, *, by_file: bool = True) -> Path:
    """Return the run with this path, or with this name in the reports.

    Parameters
    ----------
    named
        Its path or name.
    by_file
        Whether a file of a run, such as its `head.npz`, names the run.

    Raises
    ------
    InputError
        When a store has this name, and no run has.
    """
    from fishembed.cache import find_store, is_store

    found = _run_folder(named)
    if found is not None and (by_file or found in (named, reports_dir() / named)):
        return found
    is_one = named.is_file() and is_store(named)
    store = named if is_one else None if named.exists() else find_store(named, cache_dir())
    if store is not None:
        raise InputError(
            f"{str(store)!r} is a feature store, not a run: 'fishembed fit {store}' makes a run "
            "of it"
        )
    if named.is_file():
        raise InputError(
            f"{str(named)!r} is a file, not a run: name the folder that 'fishembed fit' wrote, "
            f"with its {RUN_JSON}"
        )
    inside = reports_dir() / named
    return inside if inside.is_dir() else named


def _run_folder(named: Path) -> Path | None:
    """Return the run of this path or name, or the one that a file belongs to."""
    places = (named, reports_dir() / named)
    files = (place.parent for place in places if place.is_file())
    return next((place for place in (*places, *files) if _is_run(place)), None)


def _is_run(folder: AnyPath) -> bool:
    return (folder / RUN_JSON).is_file()


def _made_on(run: AnyPath) -> str:
    """Return which store a run was made on, for the end of a sentence."""
    try:
        text = (run / RUN_JSON).read_text(encoding="utf-8", errors="replace")
        path = json.loads(text)["store"]["path"]
    except (OSError, ValueError, RecursionError, KeyError, TypeError):
        return ""
    return f", such as {str(path)!r}, which it was made on"
