"""Completion of names in the shell: heads, stores and runs."""

from __future__ import annotations

from fishembed._base.paths import cache_dir, is_remote, reports_dir

_STORES = frozenset({".h5", ".hdf5", ".he5", ".json"})


def store_names(incomplete: str) -> list[str]:
    """Return the names of stores in the cache folder that begin like this.

    The shell waits for the answer, so that no file is opened.
    """
    folder = cache_dir()
    if is_remote(folder) or not folder.is_dir():
        return []
    found = (path for path in folder.iterdir() if path.suffix.lower() in _STORES)
    return _beginning(incomplete, [path.stem for path in found if not path.name.startswith(".")])


def run_names(incomplete: str) -> list[str]:
    """Return the names of runs in the folder of reports that begin like this."""
    return _beginning(incomplete, [path.parent.name for path in reports_dir().glob("*/run.json")])


def head_names(incomplete: str) -> list[str]:
    """Return the names of heads that begin like this."""
    from fishembed.experiments.heads import HEADS

    return _beginning(incomplete, list(HEADS))


def _beginning(incomplete: str, names: list[str]) -> list[str]:
    return sorted({name for name in names if name.startswith(incomplete)})
