"""A dataset: which images there are, with what label, split and group."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import Place, is_remote, to_path
from fishembed._base.remote_files import remote_errors
from fishembed._base.text import counted, merge_sentence
from fishembed.errors import InputError, SourceError, SourceNotFoundError
from fishembed.images.datasets.box_files import (
    FoundBox,
    box_samples,
    boxes_in_rows,
    read_box_json,
    read_yolo,
    yolo_classes,
)
from fishembed.images.datasets.boxes import DEFAULT_BOXES, BoxOptions
from fishembed.images.datasets.folder import read_folder
from fishembed.images.datasets.folder_tables import read_folder_tables, unused_tables
from fishembed.images.datasets.hub_dataset import PREFIX, read_hub_dataset
from fishembed.images.datasets.layout import Layout
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest
from fishembed.images.datasets.manifest_beside import manifest_beside
from fishembed.images.datasets.remote_images import read_remote_folder, remote_manifest_images
from fishembed.images.datasets.sample import Sample
from fishembed.images.datasets.tar import read_tars
from fishembed.images.datasets.tar_names import TAR_SUFFIX, find_tars, is_tar
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage
from fishembed.images.field.field_table import FieldTable
from fishembed.images.field.packages import read_field_package
from fishembed.images.video.frames import with_frames

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

__all__ = ["Dataset", "Sample", "open_dataset"]


@dataclass(frozen=True)
class Dataset:
    """A list of images in a fixed order.

    Attributes
    ----------
    root
        Absolute folder that relative paths start from.
    name
        Name of its store by default.
    layout
        One sentence on how the dataset was understood.
    samples
        The images, sorted by path for folders, in the file's order for manifests and tars.
    image_bytes
        By path, those of images that are no files of this machine: in a tar, or on another machine.
    notes
        Sentences on what was taken for what, and what would change it.
    left_out
        (name, reason) of what looked like a row on an image, and is no sample.
    unread
        (path, reason) of images that are no samples: in formats that are not read, in system
        folders, masks.
    kind
        folder, manifest, "manifest beside" the images, boxes or tars.
    table
        Name of the table that says what the images are, None without one.
    cut
        How boxes are cut, see `BoxOptions.cut`; None where there is none.
    """

    root: AnyPath
    name: str
    layout: str
    samples: tuple[Sample, ...]
    image_bytes: Mapping[str, ImageBytes] = field(default_factory=dict, repr=False)
    notes: tuple[str, ...] = ()
    left_out: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    unread: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    kind: str = "folder"
    table: str | None = None
    cut: Mapping[str, object] | None = None

    @property
    def blobs(self) -> Mapping[str, ImageBytes]:
        """The image bytes by path, under their name of 0.1.0."""
        return self.image_bytes

    @property
    def items(self) -> tuple[Sample, ...]:
        """The samples, under their name of 0.1.0."""
        return self.samples

    @property
    def classes(self) -> list[str]:
        """Names of the classes that occur, sorted."""
        return sorted({sample.label for sample in self.samples if sample.label is not None})

    def at(self, path: str) -> Path | ImageBytes:
        """Return what `read_bytes` reads for the path of a sample."""
        return self.image_bytes.get(path) or Path(str(self.root), path)

    def state(self, path: str) -> tuple[int, int]:
        """Return the size and the time (ns) of an image's file; -1 where that is not known.

        Whether an image is there shows when it is read, and only then. What lies in a tar or
        elsewhere has, in place of the time, a number that changes with it.
        """
        if path in self.image_bytes:
            return self.image_bytes[path].state
        try:
            place = os.path.join(str(self.root), path)  # noqa: PTH118 - hot loop
            state = os.stat(place)  # noqa: PTH116 - hot loop
        except (OSError, ValueError):  # ValueError: a manifest's path holds a zero byte
            return -1, -1
        return state.st_size, state.st_mtime_ns


def open_dataset(
    path: str | Path | UPath | Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    boxes: BoxOptions = DEFAULT_BOXES,
    fps: float | None = None,
) -> Dataset:
    """List the images of a folder, a manifest or tars.

    Parameters
    ----------
    path
        A folder of class folders; the same under train, val (valid, validation) and test
        in any case; a flat folder without labels; a CSV or Parquet manifest with the
        columns path[, label][, split][, group]; a folder of WebDataset tars, one of them,
        several of them, or a pattern such as ``shards/{00000..00099}.tar`` or
        ``shards/*.tar``. On this machine, or at a URL that fsspec knows. Boxes of images come in
        with a manifest's columns x, y, width and height, MegaDetector's or COCO's JSON, or a
        folder with YOLO's text files and its classes.txt or data.yaml. A Camtrap DP package, an
        export of Wildlife Insights and a Darwin Core archive are read as what they are, and
        ``hf:OWNER/NAME[:SPLIT]`` is a dataset of the Hugging Face hub.
    columns
        What a manifest calls its columns, such as {"path": "file_name", "label": "species"};
        columns that are not named here or above are metadata of the images.
    boxes
        Which boxes become rows, and how they are cut.
    fps
        Frames of a second of video that become rows; those that differ when left out.

    Raises
    ------
    InputError
        When columns are named and it is no manifest.
    SourceError
        When there is nothing at `path`, or no image in it.
    ManifestError
        When a manifest's columns or rows make no sense.
    RemoteError
        When a URL cannot be reached.
    """
    return with_frames(list_dataset(path, columns=columns, boxes=boxes), fps)


def list_dataset(
    path: str | Path | UPath | Sequence[str | Path],
    *,
    columns: Mapping[str, str] | None = None,
    boxes: BoxOptions = DEFAULT_BOXES,
) -> Dataset:
    """List images and videos, each video as one sample; see `open_dataset`."""
    several = [path] if isinstance(path, str) or not isinstance(path, Sequence) else path
    several = [Place(one) for one in several]
    if len(several) == 1 and str(several[0]).startswith(PREFIX):
        return read_hub_dataset(str(several[0]))
    if tars := find_tars(several):
        named = to_path(several[0])
        return _tar_source(tars, named if len(several) == 1 and not is_tar(named) else None)
    place = to_path(several[0])
    if columns and place.suffix.lower() not in MANIFEST_SUFFIXES:
        names = ", ".join(f"--{name}-column" for name in columns)
        raise InputError(f"{names}: {str(place)!r} is no manifest, which alone has columns")
    if isinstance(place, Path) and (package := read_field_package(place)) is not None:
        return _field_source(*package, boxes)
    with remote_errors(place):
        if place.is_dir():
            return _folder_source(place, boxes)
        if not is_remote(place) and place.exists() and not place.is_file():
            raise SourceError(f"{str(place)!r} is a pipe or a device, not a file")
        if not place.exists():
            raise SourceNotFoundError(
                f"there is nothing at {str(place)!r}: give a folder of images, a CSV or Parquet "
                "manifest with a column 'path', or tars"
            )
    if place.suffix.lower() in MANIFEST_SUFFIXES:
        return _manifest_source(place, columns, boxes)
    if place.suffix.lower() == ".json" and isinstance(place, Path):
        return _box_source(place.parent, place.stem, read_box_json(place), place.name, boxes)
    raise SourceError(
        f"{str(place)!r} is neither a folder nor a manifest "
        f"({', '.join(sorted(MANIFEST_SUFFIXES))}) nor a {TAR_SUFFIX} nor a .json with boxes"
    )


def _folder_source(place: AnyPath, boxes: BoxOptions) -> Dataset:
    if isinstance(place, Path) and (classes := yolo_classes(place)) is not None:
        boxed, broken_texts = read_yolo(place, classes)
        if any(one.box for one in boxed):
            source = _box_source(place, place.resolve().name, boxed, "YOLO's text files", boxes)
            return replace(source, unread=(*source.unread, *broken_texts), table=None)
    if is_remote(place):
        layout, image_bytes = read_remote_folder(place)
        name = place.name or "images"
        return _as_read(Dataset(place, name, "", (), image_bytes), layout)
    root, layout, listing = read_folder(place)
    root = root.resolve()
    found, notes = manifest_beside(root, listing)
    in_folders = None if found else read_folder_tables(root, listing, layout)
    if found is not None:
        layout = replace(found, left_out=(*layout.left_out, *found.left_out))
    elif in_folders is not None:
        layout, notes = in_folders, []
    known_notes = [*notes, *layout.notes, layout.description]
    notes += unused_tables(root, listing, layout.samples, known_notes)
    broken = {path: UnreadableImage(reason) for path, reason in listing.unreadable}
    layout.samples.extend(map(Sample, broken))
    layout = replace(layout, notes=(*layout.notes, *notes))
    dataset = Dataset(root, root.name or "images", "", (), broken)
    if found is not None:
        dataset = replace(dataset, kind="manifest beside", table=found.table)
    return _as_read(dataset, layout)


def _as_read(dataset: Dataset, layout: Layout) -> Dataset:
    return replace(
        dataset,
        layout=layout.description,
        samples=tuple(layout.samples),
        notes=layout.notes,
        unread=layout.left_out,
    )


def _box_source(
    root: Path,
    name: str,
    found: list[FoundBox],
    what: str,
    options: BoxOptions,
    *,
    photo_bytes: Mapping[str, ImageBytes] | None = None,
) -> Dataset:
    root = root.resolve()
    made = box_samples(root, found, options, photo_bytes)
    samples = tuple(made.samples)
    if not samples:
        raise SourceError(
            f"{str(root)!r}: {made.notes[0]}: nothing to encode; --whole-images takes the photos, "
            "--min-confidence takes fainter boxes"
        )
    return Dataset(
        root,
        name or "images",
        f"boxes of {what}",
        samples,
        made.image_bytes,
        made.notes,
        kind="boxes",
        table=what.removeprefix("manifest "),
        cut=options.cut,
    )


def _field_source(root: Path, table: FieldTable, options: BoxOptions) -> Dataset:
    """Return the images of a package of the field, or their boxes where it has any."""
    root = root.resolve()
    whole = [*table.samples, *(one.sample for one in table.boxes)]
    image_bytes = remote_manifest_images(root, whole)
    notes, left_out = tuple(table.notes), tuple(table.left_out)
    if any(one.box for one in table.boxes):
        found = _box_source(
            root, root.name, table.boxes, f"a {table.kind}", options, photo_bytes=image_bytes
        )
        notes = (*notes, *found.notes)
    elif not table.samples:
        why = f": {table.left_out[0]}" if table.left_out else ""
        raise SourceError(f"no image in the {table.kind} {str(root)!r}{why}")
    else:
        found = Dataset(root, root.name or "images", table.kind, tuple(table.samples), image_bytes)
    return replace(found, notes=notes, unread=left_out, kind=table.kind, table=None)


def _manifest_source(
    path: AnyPath, columns: Mapping[str, str] | None, boxes: BoxOptions
) -> Dataset:
    root, (samples, left_out, notes) = path.parent, read_manifest(path, columns)
    if not is_remote(root):
        root = root.resolve()
    generic = path.stem.lower() in {"manifest", "metadata", "labels", "index"}
    name = (root.name if generic else path.stem) or path.stem
    if isinstance(root, Path):
        root = _root_of_absolute(samples, root)
    image_bytes = remote_manifest_images(root, samples)
    asked = sum(isinstance(sample.path, Place) and sample.path.lacks_query for sample in samples)
    keys = f"; the keys in {counted(asked, 'URL')} are in it alone: it is --photos" if asked else ""
    merge = merge_sentence({sample.label for sample in samples if sample.label is not None})
    notes = (*notes, merge) if merge else notes
    layout = f"manifest {path.name}{keys}"
    if isinstance(root, Path) and (boxed := boxes_in_rows(samples)) is not None:
        made = _box_source(
            root, name, boxed, f"manifest {path.name}", boxes, photo_bytes=image_bytes
        )
        return replace(made, notes=(*notes, *made.notes), unread=left_out)
    found = Dataset(root, name, layout, tuple(samples), image_bytes, notes, left_out)
    return replace(found, kind="manifest", table=path.name)


def _root_of_absolute(samples: Sequence[Sample], folder: Path) -> Path:
    """Return the folder that holds all images where every path is absolute, else the manifest's.

    What lies outside a store's root is never read, so that images are found again only below it.
    """
    if not all(os.path.isabs(sample.path) for sample in samples):  # noqa: PTH117 - a million of them
        return folder
    folders = {os.path.dirname(sample.path) for sample in samples}  # noqa: PTH120
    shared = Path(os.path.commonpath([os.path.realpath(one) for one in folders]))
    return folder if shared == Path(shared.anchor) else shared


def _tar_source(tars: list[AnyPath], folder: AnyPath | None = None) -> Dataset:
    """Read tars; their paths start at the folder that was named, or that they have in common."""
    if not is_remote(tars[0]):
        tars = [tar.absolute() for tar in tars]
        folder = folder if folder is None else folder.absolute()
    shared = (tars[0].parent, *tars[0].parent.parents) if folder is None else (folder,)
    root = next(p for p in shared if all(str(tar).startswith(_start(p)) for tar in tars))
    names = [str(tar).removeprefix(_start(root)) for tar in tars]
    found = read_tars(root, names)
    name = tars[0].stem if len(tars) == 1 and folder is None else root.name or "images"
    return _as_read(Dataset(root, name, "", (), found.image_bytes, kind="tars"), found.layout)


def _start(folder: AnyPath) -> str:
    return str(folder).rstrip("/") + "/"
