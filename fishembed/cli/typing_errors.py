"""Hints on what was typed wrongly: arguments swapped, a name that the shell split."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fishembed._base.paths import cache_dir, is_remote, reports_dir, to_path


def typing_hint(verb: str, given: Mapping[str, Any], words: Sequence[str]) -> str:
    """Return a sentence on what may have been typed wrongly; "" where nothing is seen.

    Parameters
    ----------
    verb
        The verb that failed.
    given
        The values of its parameters.
    words
        The command line behind the program's name.
    """
    return _split_name(words) or _swapped(verb, given)


def _split_name(words: Sequence[str]) -> str:
    """Notice words that are one file's or folder's name, which the shell split at its blanks."""
    plain = [word for word in words if not is_remote(to_path(word))]
    for start in range(len(plain)):
        for end in range(start + 2, min(len(plain), start + 8) + 1):
            parts = plain[start:end]
            name = " ".join(parts)
            if any(part.startswith("--") for part in parts):
                break
            if _is_there(name) and not all(map(_is_there, parts)):
                return f"there is {name!r}: put a name with blanks in quotes, as '{name}'"
    return ""


def _swapped(verb: str, given: Mapping[str, Any]) -> str:
    """Notice arguments that stand in each other's place."""

    def swapped(*order: object) -> str:
        return (
            f"are the arguments swapped? Try: {shlex.join(['fishembed', verb, *map(str, order)])}"
        )

    if verb == "predict" and given.get("images"):
        run, images = given["run"], given["images"]
        at = next((i for i, one in enumerate(images) if _is_run(one)), None)
        if at is not None and not _is_run(run):
            others = [one for i, one in enumerate(images) if i != at]
            return swapped(images[at], run, *others)
    if verb in ("fix", "search", "shard"):
        second = {"fix": "fixes", "search": "text", "shard": "target"}[verb]
        first, then = given["store"], given.get(second)
        then = then[0] if isinstance(then, list) and then else then
        if then and _is_store(then) and not _is_store(first):
            return swapped(then, first)
    if verb == "import" and given.get("target") is not None:
        first, then = map(Path, (given["features"], given["target"]))
        if then.exists() and not first.exists():
            return swapped(then, first)
    if verb == "export" and len(given.get("places") or ()) == 2:
        first, then = given["places"]
        if _is_store(then) and not _is_store(first):
            return swapped(then, first)
    if verb == "extract" and len(given.get("source") or ()) > 1:
        last = str(given["source"][-1])
        if last.endswith((".h5", ".hdf5")):
            words = shlex.join(["fishembed", "extract", *given["source"][:-1], "--store", last])
            return f"is {last!r} the store? Try: {words}"
    return ""


def _is_there(name: str) -> bool:
    if "://" in name or len(name) > 1000:
        return False
    return Path(name).exists() or _is_run(name) or _is_store(name)


def _is_run(named: object) -> bool:
    return any(
        (place / "run.json").is_file() for place in (Path(str(named)), reports_dir() / str(named))
    )


def _is_store(named: object) -> bool:
    from fishembed.cache import find_store, is_store

    path = Path(str(named))
    if path.is_file():
        return is_store(path)
    folder = cache_dir()
    return not is_remote(folder) and folder.is_dir() and find_store(str(named), folder) is not None
