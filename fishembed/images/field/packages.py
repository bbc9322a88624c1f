"""Packages and exports of the field, recognised by their files."""

from __future__ import annotations

from pathlib import Path

from fishembed.images.field.camtrap_dp import DESCRIPTOR, is_camtrap_dp, read_camtrap_dp
from fishembed.images.field.darwin_core import META, is_darwin_core, read_darwin_core
from fishembed.images.field.field_table import FieldTable
from fishembed.images.field.wildlife_insights import (
    IMAGES,
    is_wildlife_insights,
    read_wildlife_insights,
)


def is_image_list(place: Path) -> bool:
    """Return whether a place is a package of the field or a file of boxes, not of features."""
    folder = _folder(place)
    if place.suffix.lower() == ".json" and place.is_file():
        return True
    return (
        is_camtrap_dp(folder / DESCRIPTOR) or is_wildlife_insights(folder) or is_darwin_core(folder)
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
    if is_camtrap_dp(folder / DESCRIPTOR):
        return folder, read_camtrap_dp(folder / DESCRIPTOR)
    if is_wildlife_insights(folder):
        return folder, read_wildlife_insights(folder)
    if is_darwin_core(folder):
        return folder if folder.is_dir() else folder.parent, read_darwin_core(folder)
    return None


def _folder(place: Path) -> Path:
    """Return the folder of a package that is named by its main file."""
    return place.parent if place.name in {DESCRIPTOR, META, IMAGES} else place
