"""A folder of images: class folders, with or without splits, or flat."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from fishembed._base.splits import SPLIT_NAMES
from fishembed.errors import SourceError
from fishembed.images.sample import Sample

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def read_folder(root: Path) -> tuple[Path, str, list[Sample]]:
    """List the images below a folder.

    Returns
    -------
    root
        The folder that paths are relative to: `root`, or the only folder in it where that
        one holds the splits (archives often wrap their content once).
    layout
        One sentence on how the folder was understood.
    items
        Sorted by path.

    Raises
    ------
    SourceError
        When there is no image, or split folders stand beside class folders.
    """
    root = _unwrap(root)
    layout, items = lay_out(root, sorted(_walk(root)))
    return root, layout, items


def lay_out(root: object, paths: list[str]) -> tuple[str, list[Sample]]:
    """Understand the paths of the images below a folder; see `read_folder`."""
    if not paths:
        raise SourceError(
            f"no image in {str(root)!r}: looked for {' '.join(sorted(SUFFIXES))} in it and its "
            "folders, hidden ones left out"
        )
    tops = {path.split("/", 1)[0] for path in paths if "/" in path}
    splits = {top for top in tops if top.lower() in SPLIT_NAMES}
    if not _is_split_layout(tops, splits):
        items = [Sample(path, _first_folder(path)) for path in paths]
    elif (others := sorted(tops - splits)) or any("/" not in path for path in paths):
        beside = f"the folder {others[0]!r}" if others else "images without a split"
        raise SourceError(
            f"{str(root)!r} has split folders ({', '.join(sorted(splits))}) and beside them "
            f"{beside}: move one of them away, or write a manifest"
        )
    else:
        items = [_split_item(path) for path in paths]
    return _describe(items), items


def _unwrap(root: Path) -> Path:
    entries = [entry for entry in _scan(root) if not is_hidden(entry.name)]
    if len(entries) == 1 and entries[0].is_dir():
        inner = {entry.name.lower() for entry in _scan(Path(entries[0])) if entry.is_dir()}
        if "train" in inner and inner & {"test", "val", "valid", "validation"}:
            return Path(entries[0])
    return root


def _walk(root: Path) -> Iterator[str]:
    """Yield the relative paths of the images below, following links but no circle."""
    pending: list[tuple[str, frozenset[str]]] = [("", frozenset())]
    while pending:
        prefix, above = pending.pop()
        folder = os.path.realpath(root / prefix)
        if folder in above:
            continue
        for entry in _scan(root / prefix):
            if is_hidden(entry.name):
                continue
            if entry.is_dir():
                pending.append((f"{prefix}{entry.name}/", above | {folder}))
            elif os.path.splitext(entry.name)[1].lower() in SUFFIXES:  # noqa: PTH122 - hot loop
                yield prefix + entry.name


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise SourceError(
            f"cannot list the folder {str(folder)!r}: {error.strerror or error}"
        ) from error


def is_hidden(name: str) -> bool:
    """Tell names that nobody means: dot files, and what macOS puts into archives."""
    return name.startswith(".") or name == "__MACOSX"


def _is_split_layout(tops: set[str], splits: set[str]) -> bool:
    """Tell splits from classes that happen to be called Test: a split source has a train."""
    return bool(splits) and (splits == tops or any(top.lower() == "train" for top in splits))


def _split_item(path: str) -> Sample:
    split, rest = path.split("/", 1)
    return Sample(path, _first_folder(rest), SPLIT_NAMES[split.lower()])


def _first_folder(path: str) -> str | None:
    return path.split("/", 1)[0] if "/" in path else None


def _describe(items: list[Sample]) -> str:
    classes = {item.label for item in items} - {None}
    splits = [s for s in dict.fromkeys(SPLIT_NAMES.values()) if any(i.split == s for i in items)]
    kind = f"{len(classes)} class folders" if classes else "flat folder without labels"
    return f"{kind} in {', '.join(splits)}" if splits else kind
