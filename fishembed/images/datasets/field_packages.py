"""Read Camtrap DP packages, exports of Wildlife Insights and Darwin Core archives."""

from __future__ import annotations

import json
import zipfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from fishembed._base.bounded_reading import read_file
from fishembed._base.paths import Place, is_url
from fishembed._base.text import counted
from fishembed.errors import ManifestError, MissingExtraError
from fishembed.images.datasets.box_files import FoundBox
from fishembed.images.datasets.folder import paths_by_name
from fishembed.images.datasets.samples import Sample
from fishembed.images.datasets.special_kinds import (
    CAMTRAP_DP,
    CAMTRAP_DP_FILE,
    DARWIN_CORE,
    WILDLIFE_INSIGHTS,
    WILDLIFE_INSIGHTS_FILE,
)
from fishembed.images.datasets.table_reading import text_rows

Row = Mapping[str, str]
_NOT_THERE = "neither a file here nor a URL"

_TABLES = ("deployments", "media", "observations")
_OF_MEDIA = ("mediaID", "deploymentID", "timestamp", "captureMethod")
_OF_DEPLOYMENT = ("locationID", "locationName", "latitude", "longitude", "cameraID", "cameraModel")
_OF_OBSERVATION = ("eventID", "observationID", "count", "lifeStage", "sex", "individualID")
_BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")

_OF_INSIGHTS_IMAGE = (
    *("image_id", "deployment_id", "timestamp", "wi_taxon_id", "common_name"),
    *("family", "order", "class", "age", "sex", "number_of_objects", "license"),
)
_OF_INSIGHTS_DEPLOYMENT = ("placename", "latitude", "longitude", "camera_id", "feature_type")

_MEDIA_TYPES = ("http://rs.gbif.org/terms/1.0/Multimedia", "http://rs.tdwg.org/ac/terms/Multimedia")
_OF_OCCURRENCE = (
    *("gbifID", "occurrenceID", "eventDate", "decimalLatitude", "decimalLongitude", "locality"),
    *("recordedBy", "identifiedBy", "basisOfRecord", "family", "sex", "lifeStage", "license"),
)
_ADDRESSES = ("identifier", "accessURI", "goodQualityAccessURI", "references")
_MOST_BYTES = 1 << 36


@dataclass
class FieldTable:
    """Images of a package or an export below a folder, as samples, or as boxes if any has one."""

    root: Path
    samples: list[Sample] = field(default_factory=list)
    boxes: list[FoundBox] = field(default_factory=list)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    """(name, reason) of rows that are no samples."""
    several: int = 0
    """Images without boxes that show several classes, and so have no label."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences on images without a class."""
        n = counted(self.several, "image")
        return (f"{n} with several species and no boxes: without a class",) if self.several else ()


class ImagePlaces:
    """Finds images that a table names, in its folder by path or by name, else at their URL."""

    def __init__(self, root: Path) -> None:
        root = root.resolve()
        files = (path for path in root.rglob("*") if path.is_file())
        self._paths = {path.relative_to(root).as_posix() for path in files}
        self._by_name = paths_by_name(self._paths)

    def find(self, *names: str) -> str | None:
        """Return the path of the first that is there, below the root, else the first URL.

        None where there is neither, and for what leads out of the folder.
        """
        for name in filter(None, names):
            path = unquote(urlsplit(name).path) if is_url(name) else name.replace("\\", "/")
            here = path.lstrip("/").removeprefix("./")
            if here in self._paths:
                return here
            if (alone := self._by_name.get(PurePosixPath(here).name)) is not None:
                return alone
        return next((Place(name) for name in names if is_url(name)), None)


def read_camtrap_dp(root: Path) -> FieldTable:
    """Read the media of a Camera Trap Data Package (1.0, TDWG) with what was observed on them.

    The class is the observation's scientific name, or its type where that is no animal (blank,
    human, vehicle); observations of events are those of their media. The group, which a split must
    not part, is the event, else the deployment.
    """
    document = json.loads(read_file(root / CAMTRAP_DP_FILE))
    deployments, media, observations = (_resource(root, document, name) for name in _TABLES)
    by_deployment = {row.get("deploymentID", ""): row for row in deployments}
    by_media: dict[str, list[Row]] = defaultdict(list)
    events: dict[str, list[tuple[datetime, datetime, Row]]] = defaultdict(list)
    for row in observations:
        start, end = _time(row.get("eventStart", "")), _time(row.get("eventEnd", ""))
        if row.get("mediaID"):
            by_media[row["mediaID"]].append(row)
        elif start is not None and end is not None:
            events[row.get("deploymentID", "")].append((start, end, row))
    places, table = ImagePlaces(root), FieldTable(root)
    for medium in media:
        path = places.find(medium.get("filePath", ""))
        if path is None:
            left_out = medium.get("filePath", ""), "the package does not have the file"
            table.left_out.append(left_out)
            continue
        deployment, when = medium.get("deploymentID", ""), _time(medium.get("timestamp", ""))
        around = [
            row for start, end, row in events.get(deployment, ()) if when and start <= when <= end
        ]
        observed = by_media.get(medium.get("mediaID", ""), []) or around
        event = next((row["eventID"] for row in (*observed, *around) if row.get("eventID")), "")
        group = f"{deployment}/{event}" if event else deployment
        about = _cells(medium, _OF_MEDIA) | _cells(
            by_deployment.get(deployment, {}), _OF_DEPLOYMENT
        )
        _add_medium(table, Sample(path, None, "", group, metadata=about), observed, event)
    if any(one.box for one in table.boxes):
        table.samples = []
    return table


def _resource(root: Path, document: Mapping[str, Any], name: str) -> list[Row]:
    """Return the rows of a table of a package."""
    for resource in document["resources"]:
        if resource.get("name") != name:
            continue
        named = resource.get("path")
        files = [named] if isinstance(named, str) else list(named or ())
        paths = [(root / str(file)).resolve() for file in files]
        if not paths or not all(path.is_relative_to(root.resolve()) for path in paths):
            raise ManifestError(f"{str(root)!r}: the table {name!r} lies outside the package")
        return [row for path in paths for row in text_rows(path)]
    if name == "deployments":
        return []
    raise ManifestError(f"{str(root / CAMTRAP_DP_FILE)!r} names no table {name!r}")


def _add_medium(table: FieldTable, sample: Sample, observed: Sequence[Row], event: str) -> None:
    """Add an image with what was observed on it, and its boxes."""
    classes = sorted({_observed_class(row) for row in observed})
    label = classes[0] if len(classes) == 1 else None
    first = _cells(observed[0], _OF_OBSERVATION) if len(observed) == 1 else {"eventID": event}
    whole = replace(sample, label=label or None, metadata={**sample.metadata, **first})
    table.samples.append(whole)
    boxed = [row for row in observed if all(row.get(name) for name in _BOX)]
    for row in boxed:
        about = {**sample.metadata, **_cells(row, _OF_OBSERVATION)}
        one = replace(sample, label=_observed_class(row) or None, metadata=about)
        confidence = _number(row.get("classificationProbability", ""))
        table.boxes.append(FoundBox(sample.path, _box(row, sample.path), True, confidence, one))
    if not boxed:
        table.boxes.append(FoundBox(sample.path, None, True, 0.0, whole))
        table.several += len(classes) > 1


def _observed_class(row: Row) -> str:
    kind = row.get("observationType", "")
    if kind in {"unknown", "unclassified"}:
        return ""
    return row.get("scientificName", "") or ("" if kind == "animal" else kind)


def _time(text: str) -> datetime | None:
    """Return a time with its offset from UTC; None without one."""
    try:
        found = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else None


def _box(row: Row, path: str) -> tuple[float, float, float, float]:
    try:
        x, y, width, height = (float(row[name]) for name in _BOX)
    except ValueError as error:
        raise ManifestError(f"{path!r} has a box that cannot be read: {error}") from error
    if not (width > 0 and height > 0):
        raise ManifestError(f"{path!r} has a box of {width:g} × {height:g}")
    return max(x, 0.0), max(y, 0.0), width, height


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def _cells(row: Row, names: Iterable[str]) -> dict[str, str]:
    """Return the cells of a row under some names, where they are not empty."""
    return {name: row[name] for name in names if name in row}


def read_wildlife_insights(root: Path) -> FieldTable:
    """Read the images of an export of Wildlife Insights, at URLs or beside, with their class.

    The class is genus and species, else the common name; blank images are of the class "blank".
    The group is the deployment.
    """
    deployments: dict[str, Row] = {}
    if (root / "deployments.csv").is_file():
        rows = text_rows(root / "deployments.csv")
        deployments = {row.get("deployment_id", ""): row for row in rows}
    places, table, found = ImagePlaces(root), FieldTable(root), []
    for row in text_rows(root / WILDLIFE_INSIGHTS_FILE):
        path = places.find(row.get("filename", ""), row.get("location", ""))
        if path is None:
            table.left_out.append((row.get("location", ""), _NOT_THERE))
            continue
        group = row.get("deployment_id", "")
        about = _cells(row, _OF_INSIGHTS_IMAGE)
        about |= _cells(deployments.get(group, {}), _OF_INSIGHTS_DEPLOYMENT)
        found.append(Sample(path, _identified_class(row) or None, "", group, metadata=about))
    first, others = _by_path(found)
    samples = first | {path: replace(one, label=None) for path, one in others.items()}
    table.samples = [samples[path] for path in sorted(samples)]
    table.several = len(others)
    return table


def _identified_class(row: Row) -> str:
    if row.get("is_blank", "").lower() in {"1", "true", "1.0"}:
        return "blank"
    if row.get("genus") and row.get("species"):
        return f"{row['genus']} {row['species']}"
    return row.get("genus", "") or row.get("common_name", "")


def _by_path(samples: Iterable[Sample]) -> tuple[dict[str, Sample], dict[str, Sample]]:
    """Return the first sample of each image, and the first that contradicts its label, if any."""
    first: dict[str, Sample] = {}
    others: dict[str, Sample] = {}
    for sample in samples:
        if first.setdefault(sample.path, sample).label != sample.label:
            others.setdefault(sample.path, sample)
    return first, others


def read_darwin_core(place: Path) -> FieldTable:
    """Read the images of a Darwin Core archive, as GBIF has them, with what their occurrence is.

    The class is the species, else the scientific name; the group is the event, else the occurrence.
    Images are those beside the archive, or at their URLs.
    """
    try:
        from dwca.read import DwCAReader
    except ImportError as error:
        raise MissingExtraError("a Darwin Core archive", "python-dwca-reader", "field") from error
    if place.is_file():
        with zipfile.ZipFile(place) as archive:
            if sum(one.file_size for one in archive.infolist()) > _MOST_BYTES:
                raise ManifestError(
                    f"{str(place)!r} would unpack to more than {_MOST_BYTES:,} bytes"
                )
    root = place if place.is_dir() else place.parent
    places, table = ImagePlaces(root), FieldTable(root)
    try:
        with DwCAReader(str(place)) as archive:
            found = [sample for row in archive for sample in _media_of(places, row, table)]
    except Exception as error:  # the reader raises anything on a broken archive
        raise ManifestError(
            f"cannot read {str(place)!r} as a Darwin Core archive: {error}"
        ) from error
    first, others = _by_path(found)
    table.samples = [
        replace(one, label=None) if path in others else one for path, one in first.items()
    ]
    table.several = len(others)
    return table


def _media_of(places: ImagePlaces, row: Any, table: FieldTable) -> Iterator[Sample]:
    """Yield the images of an occurrence."""
    data = _by_term(row.data)
    label = data.get("species") or data.get("scientificName") or None
    group = data.get("eventID") or data.get("occurrenceID") or data.get("gbifID") or str(row.id)
    media = [_by_term(one.data) for one in row.extensions if one.rowtype in _MEDIA_TYPES]
    addresses = [tuple(one.get(name, "") for name in _ADDRESSES) for one in media]
    beside = data.get("associatedMedia", "").split("|")
    addresses += [(one.strip(),) for one in beside if one.strip()]
    for number, names in enumerate(addresses, start=1):
        path = places.find(*names)
        if path is None:
            first = next(filter(None, names), f"medium {number} of {row.id}")
            table.left_out.append((first, _NOT_THERE))
            continue
        yield Sample(path, label, "", group, metadata=_cells(data, _OF_OCCURRENCE))


def _by_term(data: Mapping[str, str]) -> dict[str, str]:
    """Return cells by the last part of their term, such as scientificName."""
    return {term.rstrip("/").rpartition("/")[2]: str(cell or "") for term, cell in data.items()}


READERS: Mapping[str, Callable[[Path], FieldTable]] = {
    CAMTRAP_DP: read_camtrap_dp,
    WILDLIFE_INSIGHTS: read_wildlife_insights,
    DARWIN_CORE: read_darwin_core,
}
"""Reader of each kind of `special_kind`, for the folder or archive of `package_folder`."""
