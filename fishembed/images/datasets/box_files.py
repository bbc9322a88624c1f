"""Read boxes of detectors and annotators: MegaDetector's JSON, COCO, YOLO, tables."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from fishembed._base.bounded_reading import read_file
from fishembed._base.text import counted
from fishembed.errors import ImageError, ManifestError, SourceError
from fishembed.images.datasets.boxes import Box, BoxOptions, CroppedImage, box_path
from fishembed.images.datasets.folder import is_file
from fishembed.images.datasets.samples import Dataset, Sample, file_state
from fishembed.images.datasets.special_kinds import YOLO_FILES
from fishembed.images.datasets.table_reading import metadata_in
from fishembed.images.decoding.decode import image_size
from fishembed.images.decoding.formats import read_suffixes
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage

BOX_COLUMNS = ("x", "y", "width", "height")
_OTHER_BOX_COLUMNS = (
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("x1", "y1", "x2", "y2"),
    ("left", "top", "right", "bottom"),
    ("bbox_x", "bbox_y", "bbox_width", "bbox_height"),
    ("x", "y", "w", "h"),
)
"""Other column names of a box: of its corners, or of its corner and size."""
_COCO_KEYS = ("id", "file_name", "width", "height", "license", "coco_url", "flickr_url")
CONFIDENCES = ("confidence", "conf", "score")


@dataclass(frozen=True)
class FoundBox:
    """A box of an image, in pixels or in shares of its sides; None for an image without one."""

    path: str
    box: Box | None
    shares: bool
    confidence: float
    """The detector's, 1 where there is none."""
    sample: Sample
    """What else is known, under the image's path."""


def box_dataset(
    root: Path,
    found: Sequence[FoundBox],
    options: BoxOptions,
    *,
    of: str,
    photo_bytes: Mapping[str, ImageBytes] | None = None,
) -> Dataset:
    """Return a dataset with a sample for each box; boxes of one image, or group, form a group.

    Parameters
    ----------
    root
        What paths start from.
    found, options
        The boxes; which become samples, and how they are cut.
    of
        Name of their source, for the layout sentence.
    photo_bytes
        Bytes of the images that are no files below the root, by path.

    Raises
    ------
    SourceError
        When nothing is left to encode.
    """
    root, photo_bytes = root.resolve(), photo_bytes or {}
    samples: dict[str, Sample] = {}
    image_bytes: dict[str, ImageBytes] = {}
    images = {one.path: replace(_in_group(one), label=None, metadata={}) for one in reversed(found)}
    boxes = [(one, one.box) for one in found if one.box is not None]
    taken = [(one, box) for one, box in boxes if not one.confidence < options.min_confidence]
    for one, stated in taken:
        file = photo_bytes.get(one.path) or str(root / one.path)
        box = _in_pixels(file, stated) if one.shares else stated
        name = box_path(one.path, box or stated)
        image_bytes[name] = UnreadableImage("its photo cannot be read")
        if box is not None:
            state = file_state(file) if isinstance(file, str) else file.state
            image_bytes[name] = CroppedImage(file, box, state, options.margin, options.square)
        samples.setdefault(name, replace(_in_group(one), path=name, box=box))
    without = counted(len(images) - len({one.path for one, _ in taken}), "photo")
    n_boxes, n_images = counted(len(samples), "box", "boxes"), counted(len(images), "photo")
    note = f"{n_boxes} of {n_images}; {without} without a box"
    if faint := len(boxes) - len(taken):
        note += f"; {counted(faint, 'box', 'boxes')} below {options.min_confidence:g}"
    if options.whole_images and images:
        note += "; whole photos are rows too"
        samples |= {one.path: images[one.path] for one in found}
        image_bytes |= {path: photo_bytes[path] for path in images if path in photo_bytes}
    if not samples:
        raise SourceError(
            f"{str(root)!r}: {note}: nothing to encode; --whole-images takes the photos, "
            "--min-confidence takes fainter boxes"
        )
    dataset = Dataset(root, root.name or "images", f"boxes of {of}", tuple(samples.values()))
    return replace(dataset, image_bytes=image_bytes, notes=(note,), kind="boxes", cut=options.cut)


def _in_group(found: FoundBox) -> Sample:
    return replace(found.sample, group=found.sample.group or found.path)


def read_box_json(path: Path) -> list[FoundBox]:
    """Read MegaDetector's output, or COCO instances; `ManifestError` when it is neither."""
    try:
        document = json.loads(read_file(path))
    except (OSError, ValueError, RecursionError) as error:
        raise ManifestError(f"cannot read {str(path)!r} as JSON: {error}") from error
    try:
        is_coco = "annotations" in document
        found = list(_coco(document, path.parent) if is_coco else _megadetector(document))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise ManifestError(
            f"{str(path)!r} is neither MegaDetector's JSON (images, detections) nor COCO "
            f"(images, annotations, categories): {error!r}"
        ) from error
    if not found:
        raise ManifestError(f"{str(path)!r} names no image")
    if not any(is_file(path.parent, one.path) for one in found):
        raise ManifestError(
            f"{str(path)!r}: none of its images exists; the first would be "
            f"{str(path.parent / found[0].path)!r}"
        )
    return found


def _megadetector(document: Mapping[str, Any]) -> Iterator[FoundBox]:
    """Yield detections; where all are of one kind in several folders, the class is the folder."""
    names = document.get("detection_categories", {})
    paths = [str(image["file"]).replace("\\", "/") for image in document["images"]]
    detections = [image.get("detections") or () for image in document["images"]]
    kinds = {one["category"] for some in detections for one in some}
    of_folders = len(kinds) < 2 and len({p.partition("/")[0] for p in paths if "/" in p}) > 1
    for path, some in zip(paths, detections, strict=True):
        folder = path.partition("/")[0] if "/" in path and of_folders else None
        if not some:
            yield FoundBox(path, None, True, 0.0, Sample(path))
        for one in some:
            kind = str(names.get(one["category"], one["category"]))
            confidence = float(one["conf"])
            about = {"detection": kind, "confidence": f"{confidence:g}"}
            sample = Sample(path, folder or kind, metadata=about)
            yield FoundBox(path, _box(one["bbox"]), True, confidence, sample)


def _coco(document: Mapping[str, Any], root: Path) -> Iterator[FoundBox]:
    names = {one["id"]: str(one["name"]) for one in document["categories"]}
    of_image: dict[Any, list[Mapping[str, Any]]] = {}
    for one in document["annotations"]:
        of_image.setdefault(one["image_id"], []).append(one)
    below = "images/" if (root / "images").is_dir() else ""
    for image in document["images"]:
        path = str(image["file_name"]).replace("\\", "/")
        if below and not is_file(root, path) and is_file(root, below + path):
            path = below + path
        about = metadata_in(image, without=_COCO_KEYS)
        group = str(image.get("seq_id") or "")
        boxes = [one for one in of_image.get(image["id"], ()) if one.get("bbox")]
        if not boxes:
            yield FoundBox(path, None, False, 0.0, Sample(path, group=group, metadata=about))
        for one in boxes:
            sample = Sample(path, names[one["category_id"]], group=group, metadata=about)
            yield FoundBox(path, _box(one["bbox"]), False, float(one.get("score", 1)), sample)


def read_yolo(root: Path) -> tuple[list[FoundBox], list[tuple[str, str]]]:
    """Read YOLO's text files: class, centre x, centre y, width, height[, confidence] in shares.

    Return the boxes, none where no image has a text file, and (image, reason) of text files that
    cannot be read. One of `YOLO_FILES` has the names of the classes.
    """
    images = sorted(path for path in root.rglob("*") if path.suffix.lower() in read_suffixes())
    texts = [next(filter(Path.is_file, _texts_of(image)), None) for image in images]
    found: list[FoundBox] = []
    broken: list[tuple[str, str]] = []
    if not any(texts):
        return found, broken
    names = next(root / name for name in YOLO_FILES if (root / name).is_file())
    names_text = names.read_text(encoding="utf-8", errors="replace")
    classes = _names_in_yaml(names_text) if names.suffix == ".yaml" else names_text.split("\n")
    for image, text in zip(images, texts, strict=True):
        path = image.relative_to(root).as_posix()
        try:
            boxes = [] if text is None else list(_yolo_boxes(path, text, classes))
        except (OSError, ValueError) as error:
            broken.append((path, f"its boxes in {text!s} cannot be read: {error}"))
            continue
        found += boxes or [FoundBox(path, None, True, 0.0, Sample(path))]
    return found, broken


def _yolo_boxes(path: str, text: Path, classes: Sequence[str]) -> Iterator[FoundBox]:
    for line in text.read_text(encoding="utf-8").split("\n"):
        cells = line.split()
        if not cells:
            continue
        kind, (x, y, width, height) = int(cells[0]), map(float, cells[1:5])
        confidence = float(cells[5]) if len(cells) == 6 else 1.0
        name = classes[kind].strip() if 0 <= kind < len(classes) else str(kind)
        box = x - width / 2, y - height / 2, width, height
        yield FoundBox(path, box, True, confidence, Sample(path, name))


def _names_in_yaml(text: str) -> list[str]:
    """Return the `names` of a data.yaml, a list or numbered, in YAML's plain forms."""
    _, _, after = text.partition("names:")
    first, _, rest = after.partition("\n")
    if "[" in first:
        return [name.strip(" '\"") for name in after.partition("[")[2].partition("]")[0].split(",")]
    names = []
    for line in rest.split("\n"):
        if not line.strip() or not line.startswith((" ", "-")):
            break
        names.append(line.strip().lstrip("-").rpartition(":")[2].strip(" '\""))
    return names


def _texts_of(image: Path) -> tuple[Path, Path]:
    """Return where the text file of an image may lie: beside it, or in labels/ for images/."""
    head, middle, tail = str(image.with_suffix(".txt")).rpartition(f"{os.sep}images{os.sep}")
    parallel = Path(f"{head}{os.sep}labels{os.sep}{tail}") if middle else image.with_suffix(".txt")
    return image.with_suffix(".txt"), parallel


def other_box_columns(columns: Iterable[str]) -> tuple[str, ...]:
    """Return the four columns of boxes under other names than `BOX_COLUMNS`; or none.

    Examples
    --------
    >>> other_box_columns(["path", "XMin", "YMin", "XMax", "YMax", "width", "height"])
    ('XMin', 'YMin', 'XMax', 'YMax')
    >>> other_box_columns(["path", "x", "y", "width", "height"])
    ()
    """
    known = {name.lower(): name for name in columns}
    found = next((names for names in _OTHER_BOX_COLUMNS if known.keys() >= set(names)), ())
    return tuple(known[name] for name in found)


def with_box_columns(cells: Mapping[str, str], columns: Sequence[str]) -> dict[str, str]:
    """Return a row's cells with the box of `other_box_columns` as x, y, width and height.

    Sizes of the whole image under width and height become image_width and image_height.

    Raises
    ------
    ValueError
        When a corner is no number.

    Examples
    --------
    >>> row = {"xmin": "10", "ymin": "20", "xmax": "40", "ymax": "25", "site": "reef"}
    >>> with_box_columns(row, ["xmin", "ymin", "xmax", "ymax"])
    {'site': 'reef', 'x': '10', 'y': '20', 'width': '30', 'height': '5'}
    """
    found = {
        f"image_{name}" if name in BOX_COLUMNS[2:] else name: cell
        for name, cell in cells.items()
        if name not in columns
    }
    box = [cells.get(name, "") for name in columns]
    if all(box) and columns[2].lower() not in {"bbox_width", "w"}:
        left, top, right, bottom = map(float, box)
        box[2:] = f"{right - left:.12g}", f"{bottom - top:.12g}"
    return found | dict(zip(BOX_COLUMNS, box, strict=True))


def boxes_in_rows(samples: Sequence[Sample]) -> list[FoundBox] | None:
    """Return the boxes of rows with x, y, width and height; None where no row has them."""
    if not any(all(one.metadata.get(name) for name in BOX_COLUMNS) for one in samples):
        return None
    found = []
    for one in samples:
        cells = [one.metadata.get(name, "") for name in BOX_COLUMNS]
        confidence = next((one.metadata[n] for n in CONFIDENCES if one.metadata.get(n)), "1")
        about = {name: cell for name, cell in one.metadata.items() if name not in BOX_COLUMNS}
        try:
            box = _box(cells) if all(cells) else None
            found.append(
                FoundBox(one.path, box, False, float(confidence), replace(one, metadata=about))
            )
        except ValueError as error:
            raise ManifestError(f"{one.path!r} has a box that cannot be read: {error}") from error
    if all(max(one.box) <= 1 for one in found if one.box is not None):
        return [replace(one, shares=True) for one in found]
    return found


def _box(cells: Sequence[Any]) -> Box:
    x, y, width, height = (float(cell) for cell in cells)
    if not (width > 0 and height > 0):
        raise ValueError(f"width {width:g} and height {height:g} must be above 0")
    return max(x, 0.0), max(y, 0.0), width, height


def _in_pixels(file: str | ImageBytes, box: Box) -> Box | None:
    try:
        width, height = image_size(file)
    except ImageError:
        return None
    x, y, wide, high = box
    return x * width, y * height, wide * width, high * height
