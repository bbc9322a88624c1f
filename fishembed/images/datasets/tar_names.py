"""Names of tars: one, several, a folder of them, or a pattern."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from braceexpand import UnbalancedBracesError, braceexpand  # type: ignore[attr-defined]

from fishembed._base.paths import is_remote, is_url, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import SourceError, SourceNotFoundError
from fishembed.images.decoding.formats import is_hidden, read_suffixes

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

TAR_SUFFIX = ".tar"

_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_WILD = re.compile(r"[*?\[{]")


def find_tars(named: Sequence[str | Path | UPath]) -> list[AnyPath]:
    """Return the tars that a dataset names, in order; none where it is no source of tars.

    Raises
    ------
    SourceError
        When several things are named and not all are tars, or one of them is not there.
    """
    if len(named) != 1:
        return [tar for one in named for tar in _several(str(one))]
    text = str(named[0])
    if text.lower().endswith(_COMPRESSED):
        raise SourceError(
            f"{text!r} is compressed, so that its images cannot be found by their offsets: "
            "unpack it to a plain .tar"
        )
    place = to_path(text)
    with remote_errors(place):
        if place.is_dir():
            return _inside(place)
        if place.is_file():
            return [place] if place.suffix.lower() == TAR_SUFFIX else []
    return _several(text) if _WILD.search(text) else []


def is_tar(place: AnyPath) -> bool:
    """Return whether one tar or a pattern is named, and no folder."""
    return place.suffix.lower() == TAR_SUFFIX or bool(_WILD.search(str(place)))


def _several(text: str) -> list[AnyPath]:
    """Expand one word: first braces, then signs that stand for others, as a shell does."""
    try:
        words = list(braceexpand(text))
    except UnbalancedBracesError:
        words = [text]
    tars = [tar for word in words for tar in (_matching(word) if _WILD.search(word) else [word])]
    if not tars:
        raise SourceNotFoundError(f"nothing matches {text!r}")
    if odd := next((tar for tar in tars if not tar.lower().endswith(TAR_SUFFIX)), None):
        raise SourceError(f"{odd!r} is no {TAR_SUFFIX}: several sources at once can only be tars")
    places = [to_path(tar) for tar in tars]
    for place in places:
        if not is_remote(place) and not place.is_file():
            raise SourceNotFoundError(f"there is no tar {str(place)!r}, which {text!r} names")
    return places


def _matching(pattern: str) -> list[str]:
    if not is_url(pattern):
        return sorted(glob.glob(pattern))  # noqa: PTH207 - the pattern may be absolute
    kind = pattern.partition("://")[0]
    above = to_path(_WILD.split(pattern)[0].rpartition("/")[0])
    with remote_errors(above):
        found = above.fs.glob(pattern)  # type: ignore[union-attr]
    return [f"{kind}://{name.lstrip('/')}" for name in sorted(map(str, found))]


def _inside(folder: AnyPath) -> list[AnyPath]:
    """Return the tars in a folder and the folders in it, unless images lie there too."""
    tars, images = [], tuple(read_suffixes())
    for name in _files(folder):
        low = name.lower()
        if low.endswith(images):
            return []
        if low.endswith(TAR_SUFFIX):
            tars.append(name)
    return [folder / name for name in sorted(tars)]


def _files(folder: AnyPath) -> Iterator[str]:
    """Yield the names of the files in a folder, and in each folder in it."""
    for name, is_folder in _names(folder):
        if is_folder:
            with suppress(OSError):  # who reads the folder names it, where nobody may look
                yield from (f"{name}/{one}" for one, deeper in _names(folder / name) if not deeper)
        else:
            yield name


def _names(folder: AnyPath) -> list[tuple[str, bool]]:
    """Return what lies in a folder and is not hidden, and whether it is a folder."""
    return [(name, is_folder) for name, is_folder in _listed(folder) if not is_hidden(name)]


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _listed(folder: AnyPath) -> list[tuple[str, bool]]:
    if isinstance(folder, Path):
        with os.scandir(folder) as entries:
            return [(entry.name, _is_folder(entry)) for entry in entries]
    found = folder.fs.ls(folder.path, detail=True)
    return [
        (str(one["name"]).rstrip("/").rpartition("/")[2], one["type"] == "directory")
        for one in found
    ]
