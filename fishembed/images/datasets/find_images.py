"""Images as people name them: files, folders, patterns."""

from __future__ import annotations

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from fishembed.errors import SourceError, SourceNotFoundError
from fishembed.images.datasets.folder import SUFFIXES, list_folder
from fishembed.images.decoding.formats import read_suffixes


def find_images(named: Sequence[str | Path]) -> list[Path]:
    """List what is meant, each file once, in the order it was named.

    Parameters
    ----------
    named
        Files, with any suffix; folders, with all images below them sorted by path, hidden ones
        left out; patterns such as ``new/**/*.jpg``, for shells that do not expand them.

    Raises
    ------
    SourceError
        When there is nothing at a name, or no image in it.
    """
    found: dict[Path, None] = {}
    for name in named:
        files = list(_meant(Path(name)))
        if not files:
            raise SourceError(f"no image in {str(name)!r}: looked for {' '.join(sorted(SUFFIXES))}")
        found.update(dict.fromkeys(files))
    return list(found)


def _meant(name: Path) -> Iterator[Path]:
    if name.is_dir():
        yield from _below(name)
    elif name.exists():  # before it is read as a pattern: a name may hold brackets
        yield name
    elif glob.has_magic(str(name)):
        for match in map(Path, sorted(glob.glob(str(name), recursive=True))):  # noqa: PTH207 - may be absolute
            if match.is_file() and match.suffix.lower() in read_suffixes():
                yield match
    else:
        raise SourceNotFoundError(
            f"there is nothing at {str(name)!r}: give images, folders, patterns or a store"
        )


def _below(folder: Path) -> Iterator[Path]:
    yield from (folder / path for path in list_folder(folder).images)
