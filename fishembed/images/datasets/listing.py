"""Listing of a folder: images, those that are left out, and folders that cannot be read."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from fishembed.errors import SourceError
from fishembed.images.decoding.formats import (
    HIDDEN,
    ending,
    is_hidden,
    read_suffixes,
    why_unread,
)

_TABLES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq", ".json", ".jsonl", ".xlsx"})
_TABLES_KEPT = 1000


@dataclass
class Listing:
    """The files below a folder, as paths below it with forward slashes.

    Attributes
    ----------
    images
        Those that are read, sorted.
    left_out
        (path, reason) of images that are not.
    unreadable
        (path, reason) of what the operating system would not show.
    others
        How many files of no image there are, by folder and ending.
    tables
        Files that may be tables, in the folder or the ones in it.
    """

    images: list[str] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    others: Counter[tuple[str, str]] = field(default_factory=Counter)
    tables: list[str] = field(default_factory=list)
    _read: frozenset[str] = field(default_factory=read_suffixes, repr=False)

    def add(self, path: str, *, hidden: bool = False) -> None:
        """Sort in one file."""
        folder, _, name = path.rpartition("/")
        kind = ending(name)
        if kind in self._read:
            if hidden or is_hidden(name):
                self.left_out.append((path, HIDDEN))
            else:
                self.images.append(path)
        elif why := why_unread(kind):
            self.left_out.append((path, HIDDEN if hidden or is_hidden(name) else why))
        elif not hidden and not is_hidden(name):
            self.others[folder, kind] += 1
            if kind in _TABLES and path.count("/") < 3 and len(self.tables) < _TABLES_KEPT:
                self.tables.append(path)

    def sorted(self) -> Listing:
        """Return this, its paths in order."""
        for paths in (self.images, self.left_out, self.unreadable, self.tables):
            paths.sort()
        return self


def list_names(names: Iterable[str]) -> Listing:
    """Sort the names of files elsewhere."""
    listing = Listing()
    for name in names:
        listing.add(name, hidden=any(map(is_hidden, name.split("/")[:-1])))
    return listing.sorted()


def list_folder(root: Path) -> Listing:
    """List what lies below a folder, each folder once, however many links lead to it.

    Raises
    ------
    SourceError
        When the folder itself cannot be listed; one in it is named, and the others go on.
    """
    listing = Listing()
    seen = {os.path.realpath(root)}
    pending: list[tuple[str, bool]] = [("", False)]
    linked: list[tuple[str, bool]] = []
    while pending or linked:
        # Links come last, so that an image is listed where it lies and not where a link leads.
        from_link = not pending
        prefix, hidden = (linked if from_link else pending).pop(0 if from_link else -1)
        if from_link:
            place = os.path.realpath(root / prefix)
            if place in seen:
                continue
            seen.add(place)
        try:
            with os.scandir(root / prefix) as found:
                entries = sorted(found, key=lambda entry: entry.name)
        except OSError as error:
            if not prefix:
                raise SourceError(
                    f"cannot list the folder {str(root)!r}: {error.strerror or error}"
                ) from error
            reason = f"the folder cannot be listed: {error.strerror or error}"
            listing.unreadable.append((prefix.rstrip("/"), reason))
            continue
        here = os.path.realpath(root / prefix)
        for entry in entries:
            path = prefix + entry.name
            try:
                is_folder = entry.is_dir()
            except OSError as error:  # a link that leads to itself, or where nobody may look
                is_folder = False
                if ending(path) not in read_suffixes():
                    reason = f"cannot be looked at: {error.strerror or error}"
                    listing.unreadable.append((path, reason))
            if not is_folder:
                listing.add(path, hidden=hidden)
                continue
            below = f"{path}/", hidden or is_hidden(entry.name)
            place = os.path.join(here, entry.name)  # noqa: PTH118 - hot loop
            if entry.is_symlink():
                linked.append(below)
            elif place not in seen:
                pending.append(below)
                seen.add(place)
    return listing.sorted()


def images_by_name(paths: Iterable[str]) -> dict[str, str]:
    """Return the images that have a name of their own by it, with and without its ending.

    Examples
    --------
    >>> images_by_name(["a/1.jpg", "a/2.jpg", "b/2.jpg"])
    {'1.jpg': 'a/1.jpg', '1': 'a/1.jpg'}
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        for one in dict.fromkeys((name, name.rpartition(".")[0])):
            found.setdefault(one, []).append(path)
    return {name: places[0] for name, places in found.items() if len(places) == 1}
