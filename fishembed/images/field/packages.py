"""Packages and exports of the field, recognised by their files."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from fishembed._base.bounded_reading import read_file
from fishembed._base.csv_files import CsvTable
from fishembed.errors import FishembedError
from fishembed.images.field.camtrap_dp import DESCRIPTOR, read_camtrap_dp
from fishembed.images.field.darwin_core import META, read_darwin_core
from fishembed.images.field.field_table import FieldTable
from fishembed.images.field.wildlife_insights import IMAGES, read_wildlife_insights

_NEEDED = frozenset({"deployment_id", "image_id", "location", "genus", "species"})


def is_image_list(place: Path) -> bool:
    """Return whether a place is a package of the field or a file of boxes, not of features."""
    folder = _folder(place)
    if place.suffix.lower() == ".json" and place.is_file():
        return True
    return (
        _is_camtrap_dp(folder / DESCRIPTOR)
        or _is_wildlife_insights(folder)
        or _is_darwin_core(folder)
    )


def read_field_package(place: Path) -> tuple[Path, FieldTable] | None:
    """Read a Camtrap DP package, a Wildlife Insights export or a Darwin Core archive.

    Returns
    -------
    tuple
        The folder that its paths start from, and what it says; None where it is none of them.

    Raises
    ------
    ManifestError, MissingExtraError
        When it is one of them and cannot be read.
    """
    folder = _folder(place)
    if _is_camtrap_dp(folder / DESCRIPTOR):
        return folder, read_camtrap_dp(folder / DESCRIPTOR)
    if _is_wildlife_insights(folder):
        return folder, read_wildlife_insights(folder)
    if _is_darwin_core(folder):
        return folder if folder.is_dir() else folder.parent, read_darwin_core(folder)
    return None


def _folder(place: Path) -> Path:
    """Return the folder of a package that is named by its main file."""
    return place.parent if place.name in {DESCRIPTOR, META, IMAGES} else place


def _is_camtrap_dp(descriptor: Path) -> bool:
    """Return whether a descriptor is one of a package of camera traps."""
    if not descriptor.is_file():
        return False
    try:
        document = json.loads(read_file(descriptor))
        names = {one.get("name") for one in document["resources"]}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return False
    return {"media", "observations"} <= names


def _is_wildlife_insights(folder: Path) -> bool:
    """Return whether a folder holds an export of Wildlife Insights."""
    table = folder / IMAGES
    if not table.is_file():
        return False
    try:
        return set(CsvTable(table).columns) >= _NEEDED
    except FishembedError:
        return False


def _is_darwin_core(place: Path) -> bool:
    """Return whether a folder or a .zip is a Darwin Core archive."""
    if place.is_dir():
        return (place / META).is_file()
    if place.suffix.lower() != ".zip" or not zipfile.is_zipfile(place):
        return False
    with zipfile.ZipFile(place) as archive:
        return any(name.rpartition("/")[2] == META for name in archive.namelist())
