"""Recognise tars, packages and YOLO folders by their names and main files."""

from __future__ import annotations

import glob
import json
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from braceexpand import UnbalancedBracesError, braceexpand  # type: ignore[attr-defined]

from fishembed._base.bounded_reading import read_file
from fishembed._base.csv_files import CsvTable
from fishembed._base.paths import is_remote, is_url, to_path
from fishembed._base.remote_files import remote_errors
from fishembed.errors import FishembedError, SourceError, SourceNotFoundError
from fishembed.images.datasets.folder import TAR_SUFFIX

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

CAMTRAP_DP, CAMTRAP_DP_FILE = "Camtrap DP package", "datapackage.json"
WILDLIFE_INSIGHTS, WILDLIFE_INSIGHTS_FILE = "Wildlife Insights export", "images.csv"
DARWIN_CORE, DARWIN_CORE_FILE = "Darwin Core archive", "meta.xml"
YOLO, YOLO_FILES = "YOLO's text files", ("classes.txt", "obj.names", "data.yaml")

_COMPRESSED = (".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar.zst")
_WILD = re.compile(r"[*?\[{]")
_INSIGHTS_COLUMNS = frozenset({"deployment_id", "image_id", "location", "genus", "species"})


def special_kind(place: AnyPath) -> str:
    """Return CAMTRAP_DP, WILDLIFE_INSIGHTS, DARWIN_CORE, YOLO, or "" for any other place.

    A package may be named by its main file; YOLO is a folder with names of its classes, which may
    be annotated so.
    """
    if not isinstance(place, Path):
        return ""
    folder = package_folder(place)
    if _is_camtrap_dp(folder / CAMTRAP_DP_FILE):
        return CAMTRAP_DP
    if _is_wildlife_insights(folder / WILDLIFE_INSIGHTS_FILE):
        return WILDLIFE_INSIGHTS
    if _is_darwin_core(folder):
        return DARWIN_CORE
    return YOLO if any((place / name).is_file() for name in YOLO_FILES) else ""


def package_folder(place: Path) -> Path:
    """Return the folder of a package that is named by its main file; the place itself if not."""
    main_files = {CAMTRAP_DP_FILE, WILDLIFE_INSIGHTS_FILE, DARWIN_CORE_FILE}
    return place.parent if place.name in main_files else place


def is_image_list(place: Path) -> bool:
    """Return whether a place is a package of the field or a file of boxes, not of features."""
    if place.suffix.lower() == ".json" and place.is_file():
        return True
    return special_kind(place) in {CAMTRAP_DP, WILDLIFE_INSIGHTS, DARWIN_CORE}


def _is_camtrap_dp(descriptor: Path) -> bool:
    if not descriptor.is_file():
        return False
    try:
        document = json.loads(read_file(descriptor))
        names = {one.get("name") for one in document["resources"]}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return {"media", "observations"} <= names


def _is_wildlife_insights(table: Path) -> bool:
    try:
        return table.is_file() and set(CsvTable(table).columns) >= _INSIGHTS_COLUMNS
    except FishembedError:
        return False


def _is_darwin_core(place: Path) -> bool:
    if place.is_dir():
        return (place / DARWIN_CORE_FILE).is_file()
    if place.suffix.lower() != ".zip" or not zipfile.is_zipfile(place):
        return False
    with zipfile.ZipFile(place) as archive:
        return any(name.rpartition("/")[2] == DARWIN_CORE_FILE for name in archive.namelist())


def find_tars(named: Sequence[str | Path | UPath]) -> list[AnyPath]:
    """Return the tars that a dataset names, in order: one, several, or a pattern.

    Empty where it is none of these. Raises `SourceError` when several things are named and not all
    are tars, or one of them is not there.
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
        if place.exists():
            return [place] if place.suffix.lower() == TAR_SUFFIX and place.is_file() else []
    return _several(text) if _WILD.search(text) else []


def is_tar(place: AnyPath) -> bool:
    """Return whether one tar or a pattern is named, and no folder."""
    return place.suffix.lower() == TAR_SUFFIX or bool(_WILD.search(str(place)))


def _several(text: str) -> list[AnyPath]:
    """Expand one word as a shell does: first braces, then wildcards."""
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
