"""A source: which pictures there are, with what label, split and group."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fishembed.errors import SourceError
from fishembed.images.folder import read_folder
from fishembed.images.item import SPLITS, Item
from fishembed.images.manifest import MANIFEST_SUFFIXES, read_manifest

__all__ = ["SPLITS", "Item", "Source", "open_source"]


@dataclass(frozen=True)
class Source:
    """A list of pictures in a fixed order.

    Attributes
    ----------
    root
        Absolute folder that relative paths start from.
    name
        What a store of this source is called unless told otherwise.
    layout
        One sentence on how the source was understood.
    items
        The pictures, sorted by path for folders, in the file's order for manifests.
    """

    root: Path
    name: str
    layout: str
    items: tuple[Item, ...]

    @property
    def classes(self) -> list[str]:
        """The labels that occur, sorted."""
        return sorted({item.label for item in self.items if item.label is not None})


def open_source(path: str | Path) -> Source:
    """List the pictures of a folder or a manifest.

    Parameters
    ----------
    path
        A folder of class folders; the same under train, val (valid, validation) and test
        in any case; a flat folder without labels; or a CSV or Parquet manifest with the
        columns path[, label][, split][, group].

    Raises
    ------
    SourceError
        When there is nothing at `path`, or no picture in it.
    ManifestError
        When a manifest's columns or rows make no sense.
    """
    path = Path(path)
    if path.is_dir():
        root, layout, items = read_folder(path)
        name = root.resolve().name or "pictures"
    elif not path.exists():
        raise SourceError(
            f"there is nothing at {str(path)!r}: give a folder of pictures, or a CSV or Parquet "
            "manifest with a column 'path'"
        )
    elif path.suffix.lower() in MANIFEST_SUFFIXES:
        root, items = path.parent, read_manifest(path)
        layout = f"manifest {path.name}"
        generic = path.stem.lower() in {"manifest", "metadata", "labels", "index"}
        name = (root.resolve().name if generic else path.stem) or path.stem
    else:
        raise SourceError(
            f"{str(path)!r} is neither a folder nor a manifest "
            f"({', '.join(sorted(MANIFEST_SUFFIXES))})"
        )
    return Source(root.resolve(), name, layout, tuple(items))
