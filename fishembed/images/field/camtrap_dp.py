"""Camera Trap Data Packages (Camtrap DP 1.0, TDWG): deployments, media and observations."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fishembed._base.bounded_reading import read_file
from fishembed.errors import ManifestError
from fishembed.images.datasets.box_files import FoundBox
from fishembed.images.datasets.sample import Sample
from fishembed.images.field.field_table import (
    FieldTable,
    ImagePlaces,
    Row,
    metadata_of,
    several_classes_note,
    table_rows,
)

DESCRIPTOR = "datapackage.json"
TABLES = ("deployments", "media", "observations")
_OF_MEDIA = ("mediaID", "deploymentID", "timestamp", "captureMethod")
_OF_DEPLOYMENT = ("locationID", "locationName", "latitude", "longitude", "cameraID", "cameraModel")
_OF_OBSERVATION = ("eventID", "observationID", "count", "lifeStage", "sex", "individualID")
_BOX = ("bboxX", "bboxY", "bboxWidth", "bboxHeight")
_NO_CLASS = frozenset({"", "unknown", "unclassified"})


@dataclass(frozen=True)
class _Event:
    start: datetime
    end: datetime
    row: Row


def read_camtrap_dp(descriptor: Path) -> FieldTable:
    """Read the media of a package with what was observed on them.

    The class is the observation's scientific name, or its type where that is no animal (blank,
    human, vehicle); observations of events are those of their media. The group is the event, which
    is what a split must not part, or the deployment.

    Raises
    ------
    ManifestError
        When a table is missing or cannot be read.
    """
    root = descriptor.parent
    document = json.loads(read_file(descriptor))
    rows = {name: _table(root, document, name) for name in TABLES}
    deployments = {row.get("deploymentID", ""): row for row in rows["deployments"]}
    by_media: dict[str, list[Row]] = defaultdict(list)
    events: dict[str, list[_Event]] = defaultdict(list)
    for row in rows["observations"]:
        if row.get("mediaID"):
            by_media[row["mediaID"]].append(row)
        elif (event := _event(row)) is not None:
            events[row.get("deploymentID", "")].append(event)
    places, table = ImagePlaces(root), FieldTable("Camtrap DP package")
    several = 0
    for media in rows["media"]:
        path = places.find(media.get("filePath", ""))
        if path is None:
            table.left_out.append((media.get("filePath", ""), "the package does not have the file"))
            continue
        around = _around(media, events.get(media.get("deploymentID", ""), ()))
        seen = by_media.get(media.get("mediaID", ""), []) or around
        about = metadata_of(media, _OF_MEDIA)
        about |= metadata_of(deployments.get(media.get("deploymentID", ""), {}), _OF_DEPLOYMENT)
        several += _add(table, path, media, about, seen=seen, around=around)
    if any(one.box for one in table.boxes):
        table.samples = []
    table.notes += several_classes_note(several)
    return table


def _table(root: Path, document: Mapping[str, Any], name: str) -> list[Row]:
    for resource in document["resources"]:
        if resource.get("name") != name:
            continue
        named = resource.get("path")
        files = [named] if isinstance(named, str) else list(named or ())
        paths = [(root / str(file)).resolve() for file in files]
        odd = next((path for path in paths if not path.is_relative_to(root.resolve())), None)
        if odd is not None or not paths:
            raise ManifestError(f"{str(root)!r}: the table {name!r} lies outside the package")
        return [row for path in paths for row in table_rows(path)]
    if name == "deployments":
        return []
    raise ManifestError(f"{str(root / DESCRIPTOR)!r} names no table {name!r}")


def _add(
    table: FieldTable,
    path: str,
    media: Row,
    about: dict[str, str],
    *,
    seen: Sequence[Row],
    around: Sequence[Row],
) -> int:
    """Add an image, or its boxes; return 1 where its class is not certain."""
    deployment = media.get("deploymentID", "")
    event = next((row["eventID"] for row in (*seen, *around) if row.get("eventID")), "")
    group = f"{deployment}/{event}" if event else deployment
    classes = sorted({_class(row) for row in seen})
    label = classes[0] if len(classes) == 1 else ""
    first = metadata_of(seen[0], _OF_OBSERVATION) if len(seen) == 1 else {"eventID": event}
    table.samples.append(Sample(path, label or None, "", group, metadata={**about, **first}))
    boxed = [row for row in seen if all(row.get(name) for name in _BOX)]
    for row in boxed:
        own = {**about, **metadata_of(row, _OF_OBSERVATION)}
        sample = Sample(path, _class(row) or None, "", group, metadata=own)
        sure = _number(row.get("classificationProbability", ""))
        table.boxes.append(FoundBox(path, _box(row, path), True, sure, sample))
    if not boxed:
        table.boxes.append(FoundBox(path, None, True, 0.0, table.samples[-1]))
    return int(len(classes) > 1 and not boxed)


def _class(row: Row) -> str:
    kind = row.get("observationType", "")
    if kind in {"animal", ""}:
        return row.get("scientificName", "")
    return "" if kind in _NO_CLASS else row.get("scientificName", "") or kind


def _around(media: Row, events: Sequence[_Event]) -> list[Row]:
    """Return the observations of the events that an image was taken in."""
    when = _time(media.get("timestamp", ""))
    if when is None:
        return []
    return [event.row for event in events if event.start <= when <= event.end]


def _event(row: Row) -> _Event | None:
    start, end = _time(row.get("eventStart", "")), _time(row.get("eventEnd", ""))
    return None if start is None or end is None else _Event(start, end, row)


def _time(text: str) -> datetime | None:
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
