"""Folders of images: class folders, with or without splits, or flat; images named one by one."""

from __future__ import annotations

import glob
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fishembed.errors import FishembedError, SourceError, SourceNotFoundError
from fishembed.images.datasets.layout import Layout, lay_out
from fishembed.images.datasets.listing import Listing, list_folder
from fishembed.images.datasets.sample import facts_in
from fishembed.images.decoding.formats import SUFFIXES, is_hidden, read_suffixes
from fishembed.images.decoding.image_bytes import read_bytes

__all__ = ["SUFFIXES", "is_hidden", "list_folder", "no_image", "read_folder"]

_SMALL = 1 << 20


def read_folder(root: Path) -> tuple[Path, Layout, Listing]:
    """List the images below a folder.

    Returns
    -------
    root
        The folder that paths are relative to: `root`, or the only folder in it with images
        where that one holds the splits (archives often wrap their content once).
    layout
        How the folder was understood.
    listing
        All that lies in it.

    Raises
    ------
    SourceError
        When there is no image.
    """
    listing = list_folder(root)
    if inner := _wrapped(root, listing):
        root, listing = inner, list_folder(inner)
    if not listing.images:
        raise no_image(root, listing)
    return root, lay_out(root.name, listing, lambda path: _beside(root, path)), listing


def no_image(root: object, listing: Listing) -> SourceError:
    """Return the error for a folder in which nothing can be read, naming what was left out."""
    why = "".join(f"; {path!r}: {reason}" for path, reason in listing.left_out[:1])
    more = f" ({len(listing.left_out):,} were left out{why})" if listing.left_out else ""
    broken = "".join(f"; {path!r}: {reason}" for path, reason in listing.unreadable[:1])
    return SourceError(
        f"no image in {str(root)!r}{more}{broken}: looked for {' '.join(sorted(SUFFIXES))} in it "
        "and its folders, hidden ones left out"
    )


def _wrapped(root: Path, listing: Listing) -> Path | None:
    """Return the one folder that holds all images, in splits."""
    tops = {path.partition("/")[0] for path in listing.images}
    if len(tops) != 1 or listing.left_out or listing.unreadable or "/" not in listing.images[0]:
        return None
    (top,) = tops
    from fishembed._base.splits import split_named

    inner = {path.split("/")[1] for path in listing.images if path.count("/") > 1}
    inner |= {"" for path in listing.images if path.count("/") == 1}
    splits = {split_named(name) for name in inner}
    tables = [table for table in listing.tables if not table.startswith(f"{top}/")]
    if split_named(top) or "train" not in splits or len(splits - {""}) < 2:
        return None
    return None if any(os.path.splitext(t)[1] in {".csv", ".tsv"} for t in tables) else root / top  # noqa: PTH122


def _beside(root: Path, path: str) -> Mapping[str, str]:
    """Return what the .json or .cls beside an image says of it."""
    stem = os.path.splitext(path)[0]  # noqa: PTH122 - hot loop
    for kind in ("json", "cls"):
        try:
            text = read_bytes(root / f"{stem}.{kind}", max_bytes=_SMALL).decode("utf-8-sig")
            return facts_in(json.loads(text)) if kind == "json" else {"label": text.strip()}
        except (FishembedError, ValueError, RecursionError):  # noqa: PERF203 - two turns
            continue
    return {}


def find_images(
    named: Sequence[str | Path], left_out: list[tuple[str, str]] | None = None
) -> list[Path]:
    """List what is meant, each file once, in the order it was named.

    Parameters
    ----------
    named
        Files, with any suffix; folders, with all images below them sorted by path, hidden ones
        left out; patterns such as ``new/**/*.jpg``, for shells that do not expand them.
    left_out
        Gets (path, reason) of what lies in the folders, looks like an image and is not read.

    Raises
    ------
    SourceError
        When there is nothing at a name, or no image in it.
    """
    found: dict[Path, None] = {}
    unread = [] if left_out is None else left_out
    for name in named:
        files = list(_meant(Path(name), unread))
        if not files:
            raise SourceError(f"no image in {str(name)!r}: looked for {' '.join(sorted(SUFFIXES))}")
        found.update(dict.fromkeys(files))
    return list(found)


def _meant(name: Path, left_out: list[tuple[str, str]]) -> Iterator[Path]:
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
