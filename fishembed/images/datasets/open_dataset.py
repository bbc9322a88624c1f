"""Open any dataset: a folder, a manifest, tars, boxes, packages, at a URL or here."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from fishembed._base.paths import Place, is_remote, to_path
from fishembed._base.remote_files import remote_errors
from fishembed._base.splits import split_named
from fishembed._base.text import counted, merge_sentence
from fishembed.errors import FishembedError, InputError, SourceError, SourceNotFoundError
from fishembed.images.datasets.box_files import (
    box_dataset,
    boxes_in_rows,
    read_box_json,
    read_yolo,
)
from fishembed.images.datasets.boxes import DEFAULT_BOXES, BoxOptions
from fishembed.images.datasets.field_packages import READERS
from fishembed.images.datasets.folder import TAR_SUFFIX, Listing, list_folder, list_names
from fishembed.images.datasets.folder_tables import with_tables
from fishembed.images.datasets.hub_dataset import PREFIX, read_hub_dataset
from fishembed.images.datasets.layout import lay_out
from fishembed.images.datasets.manifest import MANIFEST_SUFFIXES, read_manifest
from fishembed.images.datasets.remote_images import list_remote, remote_manifest_images
from fishembed.images.datasets.samples import Dataset, Sample, class_names
from fishembed.images.datasets.special_kinds import (
    YOLO,
    find_tars,
    is_tar,
    package_folder,
    special_kind,
)
from fishembed.images.datasets.table_reading import facts_in
from fishembed.images.datasets.tar import read_tars
from fishembed.images.datasets.video_frames import with_frames
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage, read_bytes

if TYPE_CHECKING:
    from upath import UPath

    from fishembed._base.paths import AnyPath

_SMALL = 1 << 20


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
        Names of a manifest's columns, such as {"path": "file_name", "label": "species"};
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
        return _tar_dataset(tars)
    place = to_path(several[0])
    listing, files = _listing(place)
    if listing is not None and listing.is_of_tars():
        return _tar_dataset([place / tar for tar in listing.tars], None if is_tar(place) else place)
    if columns and place.suffix.lower() not in MANIFEST_SUFFIXES:
        names = ", ".join(f"--{name}-column" for name in columns)
        raise InputError(f"{names}: {str(place)!r} is no manifest, which alone has columns")
    if (kind := special_kind(place)) in READERS:
        return _field_dataset(kind, Path(str(place)), boxes)
    if listing is None:
        return _file_dataset(place, columns, boxes)
    found = _yolo_dataset(Path(str(place)), boxes) if kind == YOLO else None
    return found or _folder_dataset(place, listing, files)


def _listing(place: AnyPath) -> tuple[Listing | None, Mapping[str, ImageBytes]]:
    """Return the listing of a folder, None for no folder; and the bytes of files at a URL."""
    with remote_errors(place):
        if not place.is_dir():
            return None, {}
        if is_remote(place):
            files = list_remote(place)
            return list_names(files), files
        return list_folder(place), {}


def _file_dataset(place: AnyPath, columns: Mapping[str, str] | None, boxes: BoxOptions) -> Dataset:
    """List the images of a manifest or of a JSON with boxes."""
    with remote_errors(place):
        if not place.exists():
            raise SourceNotFoundError(
                f"there is nothing at {str(place)!r}: give a folder of images, a CSV or Parquet "
                "manifest with a column 'path', or tars"
            )
        if not is_remote(place) and not place.is_file():
            raise SourceError(f"{str(place)!r} is a pipe or a device, not a file")
    suffix = place.suffix.lower()
    if suffix in MANIFEST_SUFFIXES:
        return _manifest_dataset(place, columns, boxes)
    if suffix == ".json" and isinstance(place, Path):
        found = box_dataset(place.parent, read_box_json(place), boxes, of=place.name)
        return replace(found, name=place.stem or "images", table=place.name)
    raise SourceError(
        f"{str(place)!r} is neither a folder nor a manifest "
        f"({', '.join(sorted(MANIFEST_SUFFIXES))}) nor a {TAR_SUFFIX} nor a .json with boxes"
    )


def _folder_dataset(root: AnyPath, listing: Listing, files: Mapping[str, ImageBytes]) -> Dataset:
    """List class folders, with or without splits, or a flat folder."""
    if is_remote(root):
        if not listing.images:
            raise listing.no_image(root)
        dataset = lay_out(root, listing)
        here = {sample.path: files[sample.path] for sample in dataset.samples}
        return replace(dataset, image_bytes=here)
    if inner := _wrapped(root, listing):
        root, listing = inner, list_folder(inner)
    if not listing.images:
        raise listing.no_image(root)
    dataset = lay_out(root, listing, partial(_facts_beside, root))
    root = root.resolve()
    dataset = replace(dataset, root=root, name=root.name or "images")
    if listing.tables:
        dataset = with_tables(dataset, listing)
    broken = {path: UnreadableImage(reason) for path, reason in listing.unreadable}
    samples = (*dataset.samples, *map(Sample, broken))
    return replace(dataset, samples=samples, image_bytes=broken) if broken else dataset


def _wrapped(root: Path, listing: Listing) -> Path | None:
    """Return the only folder with images where it holds splits: archives often wrap them once."""
    tops = {path.partition("/")[0] for path in listing.images}
    if len(tops) != 1 or listing.left_out or listing.unreadable or "/" not in listing.images[0]:
        return None
    (top,) = tops
    inner = {path.split("/")[1] if path.count("/") > 1 else "" for path in listing.images}
    splits = {split_named(name) for name in inner}
    if split_named(top) or "train" not in splits or len(splits - {""}) < 2:
        return None
    tables = [table for table in listing.tables if not table.startswith(f"{top}/")]
    return None if any(table.endswith((".csv", ".tsv")) for table in tables) else root / top


def _facts_beside(root: Path, path: str) -> Mapping[str, str]:
    """Return label, split and group from the .json or .cls beside an image."""
    stem = os.path.splitext(path)[0]  # noqa: PTH122 - hot loop
    for kind in ("json", "cls"):
        try:
            text = read_bytes(root / f"{stem}.{kind}", max_bytes=_SMALL).decode("utf-8-sig")
            return facts_in(json.loads(text)) if kind == "json" else {"label": text.strip()}
        except (FishembedError, ValueError, RecursionError):  # noqa: PERF203 - two turns
            continue
    return {}


def _yolo_dataset(root: Path, boxes: BoxOptions) -> Dataset | None:
    """Return the boxes of YOLO's text files, None where there are none."""
    found, broken = read_yolo(root)
    if not any(one.box for one in found):
        return None
    return replace(box_dataset(root, found, boxes, of=YOLO), unread=tuple(broken))


def _field_dataset(kind: str, place: Path, boxes: BoxOptions) -> Dataset:
    """Return the images of a package of the field, or their boxes where it has any."""
    table = READERS[kind](package_folder(place))
    root = table.root.resolve()
    whole = [*table.samples, *(one.sample for one in table.boxes)]
    image_bytes = remote_manifest_images(root, whole)
    if any(one.box for one in table.boxes):
        found = box_dataset(root, table.boxes, boxes, of=f"a {kind}", photo_bytes=image_bytes)
    elif not table.samples:
        why = f": {table.left_out[0]}" if table.left_out else ""
        raise SourceError(f"no image in the {kind} {str(root)!r}{why}")
    else:
        found = Dataset(root, root.name or "images", kind, tuple(table.samples), image_bytes)
    notes = (*table.notes, *found.notes)
    return replace(found, notes=notes, unread=tuple(table.left_out), kind=kind)


def _manifest_dataset(
    path: AnyPath, columns: Mapping[str, str] | None, boxes: BoxOptions
) -> Dataset:
    """Return the images of a manifest, or their boxes where it has any."""
    found = read_manifest(path, columns)
    samples = found.samples
    root = _root_of_absolute(samples, found.root) if isinstance(found.root, Path) else found.root
    image_bytes = remote_manifest_images(root, samples)
    asked = sum(isinstance(sample.path, Place) and sample.path.lacks_query for sample in samples)
    keys = f"; the keys in {counted(asked, 'URL')} are in it alone: it is --photos" if asked else ""
    merge = merge_sentence(class_names(samples))
    notes = (*found.notes, merge) if merge else found.notes
    if isinstance(root, Path) and (boxed := boxes_in_rows(samples)) is not None:
        of = f"manifest {path.name}"
        cut = box_dataset(root, boxed, boxes, of=of, photo_bytes=image_bytes)
        notes = (*notes, *cut.notes)
        return replace(cut, name=found.name, notes=notes, unread=found.left_out, table=found.table)
    layout = f"{found.layout}{keys}"
    return replace(found, root=root, layout=layout, image_bytes=image_bytes, notes=notes)


def _root_of_absolute(samples: Sequence[Sample], folder: Path) -> Path:
    """Return the folder that holds all images where every path is absolute, else the manifest's.

    What lies outside a store's root is never read, so that images are found again only below it.
    """
    if not all(os.path.isabs(sample.path) for sample in samples):  # noqa: PTH117 - a million of them
        return folder
    folders = {os.path.dirname(sample.path) for sample in samples}  # noqa: PTH120
    shared = Path(os.path.commonpath([os.path.realpath(one) for one in folders]))
    return folder if shared == Path(shared.anchor) else shared


def _tar_dataset(tars: list[AnyPath], folder: AnyPath | None = None) -> Dataset:
    """Read tars; their paths start at the named folder, or at the one they have in common."""
    if not is_remote(tars[0]):
        tars = [tar.absolute() for tar in tars]
        folder = folder if folder is None else folder.absolute()
    shared = (tars[0].parent, *tars[0].parent.parents) if folder is None else (folder,)
    root = next(p for p in shared if all(str(tar).startswith(_start(p)) for tar in tars))
    found = read_tars(root, [str(tar).removeprefix(_start(root)) for tar in tars])
    alone = len(tars) == 1 and folder is None
    return replace(found, name=tars[0].stem if alone else root.name or "images")


def _start(folder: AnyPath) -> str:
    return str(folder).rstrip("/") + "/"
