"""List the images of folders, what is left out, and images that are named one by one."""

from __future__ import annotations

import glob
import os
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from fishembed.errors import SourceError, SourceNotFoundError
from fishembed.images.decoding.formats import (
    HIDDEN,
    SUFFIXES,
    ending,
    is_hidden,
    read_suffixes,
    why_unread,
)

TAR_SUFFIX = ".tar"
_TABLES = frozenset({".csv", ".tsv", ".txt", ".parquet", ".pq", ".json", ".jsonl", ".xlsx"})
_MOST_TABLES = 1000


@dataclass
class Listing:
    """The files below a folder, as paths below it with forward slashes."""

    images: list[str] = field(default_factory=list)
    """Those that are read, sorted."""
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of images that are not."""
    unreadable: list[tuple[str, str]] = field(default_factory=list)
    """(path, reason) of what the operating system would not show."""
    others: Counter[tuple[str, str]] = field(default_factory=Counter)
    """Number of files that are no images, by folder and ending."""
    tables: list[str] = field(default_factory=list)
    """Files that may be tables, in the folder or its sub-folders."""
    tars: list[str] = field(default_factory=list)
    """Tars in the folder or its sub-folders."""
    _read: frozenset[str] = field(default_factory=read_suffixes, repr=False)

    def add(self, path: str, *, hidden: bool = False) -> None:
        """Sort in one file."""
        folder, _, name = path.rpartition("/")
        kind, hidden = ending(name), hidden or is_hidden(name)
        why = "" if kind in self._read else why_unread(kind)
        if kind in self._read and not hidden:
            self.images.append(path)
        elif kind in self._read or why:
            self.left_out.append((path, HIDDEN if hidden else why))
        elif not hidden:
            self.others[folder, kind] += 1
            if kind in _TABLES and path.count("/") < 3 and len(self.tables) < _MOST_TABLES:
                self.tables.append(path)
            if kind == TAR_SUFFIX and path.count("/") < 2:
                self.tars.append(path)

    def sorted(self) -> Listing:
        """Return the same listing with its paths sorted."""
        for paths in (self.images, self.left_out, self.unreadable, self.tables, self.tars):
            paths.sort()
        return self

    def is_of_tars(self) -> bool:
        """Return whether tars are here and no images beside them."""
        return bool(self.tars) and all(path.count("/") > 1 for path in self.images)

    def no_image(self, root: object) -> SourceError:
        """Return the error where nothing can be read, naming what was left out."""
        why = "".join(f"; {path!r}: {reason}" for path, reason in self.left_out[:1])
        more = f" ({len(self.left_out):,} were left out{why})" if self.left_out else ""
        broken = "".join(f"; {path!r}: {reason}" for path, reason in self.unreadable[:1])
        return SourceError(
            f"no image in {str(root)!r}{more}{broken}: looked for {' '.join(sorted(SUFFIXES))} in "
            "it and its folders, hidden ones left out"
        )


def list_names(names: Iterable[str]) -> Listing:
    """Return the listing of files at a URL, by their names."""
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
        here = os.path.realpath(root / prefix)
        if from_link and here in seen:
            continue
        seen.add(here)
        for entry in _entries(root, prefix, listing):
            path = prefix + entry.name
            if not _is_folder(entry, path, listing):
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


def _entries(root: Path, prefix: str, listing: Listing) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(root / prefix) as found:
            return sorted(found, key=lambda entry: entry.name)
    except OSError as error:
        why = error.strerror or error
        if not prefix:
            raise SourceError(f"cannot list the folder {str(root)!r}: {why}") from error
        listing.unreadable.append((prefix.rstrip("/"), f"the folder cannot be listed: {why}"))
        return []


def _is_folder(entry: os.DirEntry[str], path: str, listing: Listing) -> bool:
    try:
        return entry.is_dir()
    except OSError as error:  # a link that leads to itself, or no permission
        if ending(path) not in read_suffixes():
            reason = f"cannot be looked at: {error.strerror or error}"
            listing.unreadable.append((path, reason))
        return False


def paths_by_name(paths: Iterable[str], *, stems: bool = False) -> dict[str, str]:
    """Return the paths of files by their unique names; on request also without the ending.

    Examples
    --------
    >>> paths_by_name(["a/1.jpg", "a/2.jpg", "b/2.jpg"])
    {'1.jpg': 'a/1.jpg'}
    >>> paths_by_name(["a/1.jpg", "a/2.jpg", "b/2.jpg"], stems=True)
    {'1.jpg': 'a/1.jpg', '1': 'a/1.jpg'}
    """
    found: dict[str, list[str]] = {}
    for path in paths:
        name = path.rpartition("/")[2]
        names = (name, name.rpartition(".")[0]) if stems else (name,)
        for one in dict.fromkeys(names):
            found.setdefault(one, []).append(path)
    return {name: places[0] for name, places in found.items() if len(places) == 1}


def find_images(
    named: Sequence[str | Path], left_out: list[tuple[str, str]] | None = None
) -> list[Path]:
    """List the image files under some names, each once, in the order of the names.

    Parameters
    ----------
    named
        Files, with any suffix; folders, with all images below them sorted by path, hidden ones
        left out; patterns such as ``new/**/*.jpg``, for shells that do not expand them.
    left_out
        Receives (path, reason) of files in the folders that seem to be images and are not read.

    Raises
    ------
    SourceError
        When there is nothing at a name, or no image in it.
    """
    found: dict[Path, None] = {}
    unread = [] if left_out is None else left_out
    for name in named:
        files = list(_named_files(Path(name), unread))
        if not files:
            raise SourceError(f"no image in {str(name)!r}: looked for {' '.join(sorted(SUFFIXES))}")
        found.update(dict.fromkeys(files))
    return list(found)


def _named_files(name: Path, left_out: list[tuple[str, str]]) -> Iterator[Path]:
    if name.is_dir():
        yield from _below(name, left_out)
    elif name.exists():  # before it is read as a pattern: a name may hold brackets
        yield name
    elif glob.has_magic(str(name)):
        matches = [*map(Path, sorted(glob.glob(str(name), recursive=True)))]  # noqa: PTH207 - may be absolute
        suffixes = read_suffixes()
        files = [one for one in matches if one.is_file() and one.suffix.lower() in suffixes]
        yield from files
        for folder in filter(Path.is_dir, () if files else matches):  # such as new/site*
            yield from _below(folder, left_out)
    else:
        raise SourceNotFoundError(
            f"there is nothing at {str(name)!r}: give images, folders, patterns or a store"
        )


def _below(folder: Path, left_out: list[tuple[str, str]]) -> Iterator[Path]:
    listing = list_folder(folder)
    unread = (*listing.left_out, *listing.unreadable)
    left_out += [(str(folder / path), reason) for path, reason in unread]
    yield from (folder / path for path in listing.images)


def spelling_on_disk(root: Path, path: str) -> str:
    """Return a path of a table as it is spelt below a folder; as it was where nothing is there.

    Tried are slashes for the backslashes of Windows, composed and decomposed letters (macOS
    writes the latter), and names whose bytes are no UTF-8.
    """
    if path.isascii() and "\\" not in path:  # nearly all, without asking the disk
        return path
    return next((one for one in spellings(path) if is_file(root, one)), path)


def spellings(path: str) -> Iterator[str]:
    """Yield the ways to write a path, its own first."""
    for one in dict.fromkeys((path, path.replace("\\", "/"))):
        yield one
        if one.isascii():
            continue
        for form in ("NFC", "NFD"):
            changed = unicodedata.normalize(form, one)
            if changed != one:
                yield changed
        with suppress(UnicodeError):
            yield one.encode("cp1252").decode("utf-8", "surrogateescape")


def is_file(root: Path, path: str) -> bool:
    """Return whether a path is a file; False also for names too long or with a zero byte."""
    try:
        return (root / path).is_file()
    except (OSError, ValueError):
        return False
