"""Predictions as a Camera Trap Data Package (Camtrap DP 1.0), for the platforms of the field."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import numpy as np

from fishembed._base.csv_files import write_csv
from fishembed._base.files import atomic_folder, write_text
from fishembed._base.paths import is_url
from fishembed._version import __version__
from fishembed.cache import Store, open_store
from fishembed.cache.metadata import metadata_texts
from fishembed.errors import ImageError, InputError
from fishembed.experiments.predicting.predicted_images import Prediction
from fishembed.experiments.predicting.prediction import predict_run
from fishembed.experiments.runs.run_folder import Run
from fishembed.images import ImageFiles, image_size, parse_box_path, parse_frame_path

SCHEMAS = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0"
DEPLOYMENTS = (
    *("deploymentID", "locationID", "locationName", "latitude", "longitude"),
    *("coordinateUncertainty", "deploymentStart", "deploymentEnd", "cameraID", "cameraModel"),
    *("timestampIssues", "deploymentComments"),
)
MEDIA = (
    *("mediaID", "deploymentID", "captureMethod", "timestamp", "filePath", "filePublic"),
    *("fileName", "fileMediatype"),
)
OBSERVATIONS = (
    *("observationID", "deploymentID", "mediaID", "eventID", "eventStart", "eventEnd"),
    *("observationLevel", "observationType", "scientificName"),
    *("bboxX", "bboxY", "bboxWidth", "bboxHeight"),
    *("classificationMethod", "classifiedBy", "classificationTimestamp"),
    *("classificationProbability", "observationComments"),
)
_NAMES = {
    "deployment": ("deploymentID", "deployment_id", "deployment", "camera_id", "cameraID", "site"),
    "time": ("timestamp", "time", "datetime", "date_time", "eventDate", "observed_on", "date"),
    "latitude": ("latitude", "decimalLatitude", "lat"),
    "longitude": ("longitude", "decimalLongitude", "lon", "lng"),
}
"""What tables call a column, in the order that they are looked for."""

_TYPES = {
    **dict.fromkeys(("blank", "empty", "background", "no animal"), "blank"),
    **dict.fromkeys(("human", "person", "people"), "human"),
    **dict.fromkeys(("vehicle", "car"), "vehicle"),
    **dict.fromkeys(("unknown", "unclassified"), "unknown"),
}
_ANYWHERE = 20_037_508
"""Metres: half the way around the Earth, the uncertainty of a place that nobody wrote down."""


@dataclass(frozen=True)
class _Place:
    """Where and when one row was taken, as far as its metadata tells."""

    media: str
    deployment: str
    time: datetime
    is_sure: bool
    offset: float


def export_camtrap_dp(run: str | Path | Run, store: str | Path, target: str | Path) -> Path:
    """Write a run's predictions for the images of a store as a Camtrap DP package.

    Each row becomes an observation with its calibrated probability, its medium and, where it is a
    part of a photo, its box. Ids of media and deployments, times and coordinates are those of the
    store's metadata, so that they join back. A missing time is that of the file, marked by
    `timestampIssues`; a missing place has an uncertainty as large as the Earth.

    Parameters
    ----------
    run
        The run that predicts, or its folder.
    store
        The store with the images' features.
    target
        A new folder. `datapackage.json` says of the project what has to be said; complete it.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InputError
        When the target is there already.
    StoreMismatchError
        When the features come from another encoder than the run's.

    Examples
    --------
    >>> import numpy as np
    >>> from fishembed import export_camtrap_dp, import_features, run_fit
    >>> labels = np.arange(40) % 2
    >>> X = np.eye(2)[labels] + 0.1 * np.random.default_rng(0).normal(size=(40, 2))
    >>> arrays = {"features": X, "labels": labels, "classes": ["Sus scrofa", "blank"]}
    >>> store = import_features(arrays, "f.h5")
    >>> folder = export_camtrap_dp(run_fit(store, head="centroid"), store, "package")
    >>> sorted(path.name for path in folder.iterdir())
    ['datapackage.json', 'deployments.csv', 'media.csv', 'observations.csv']
    """
    target = Path(target)
    if target.exists():
        raise InputError(f"{str(target)!r} is there already: give another name")
    run = run if isinstance(run, Run) else Run.open(run)
    found = predict_run(run, [store], top=1)
    with open_store(store) as opened:
        texts = metadata_texts(opened, np.arange(len(opened)))
        places = [_place(opened, texts, row) for row in range(len(opened))]
        deployments = _deployments(texts, places)
        media = _media(opened, texts, places)
        observations = _observations(opened, texts, places, found.predictions, run)
        title = opened.path.stem
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target) as temporary:
        write_csv(temporary / "deployments.csv", DEPLOYMENTS, deployments)
        write_csv(temporary / "media.csv", MEDIA, media)
        write_csv(temporary / "observations.csv", OBSERVATIONS, observations)
        package = _descriptor(title, deployments, observations)
        write_text(temporary / "datapackage.json", json.dumps(package, indent=2) + "\n")
    return target


def _cell(texts: Mapping[str, Sequence[str]], kind: str, row: int) -> str:
    return next(filter(None, (_text(texts, name, row) for name in _NAMES[kind])), "")


def _text(texts: Mapping[str, Sequence[str]], name: str, row: int) -> str:
    """Return a cell, "" where the store has no such column."""
    return texts[name][row] if name in texts else ""


def _place(store: Store, texts: Mapping[str, Sequence[str]], row: int) -> _Place:
    path = store.paths[row]
    part, moment = parse_box_path(path), parse_frame_path(path)
    medium = part[0] if part else moment[0] if moment else path
    known = _text(texts, "mediaID", row) or _text(texts, "image_id", row)
    time, is_sure = _time(store, _cell(texts, "time", row), row)
    offset = 0.0
    if moment is not None:
        offset = moment[1]
        time -= timedelta(seconds=offset) if is_sure else timedelta()
    return _Place(known or medium, _cell(texts, "deployment", row) or "d1", time, is_sure, offset)


def _time(store: Store, text: str, row: int) -> tuple[datetime, bool]:
    """Return when a row was taken, and whether its metadata says so with an offset from UTC."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return (found, True) if found.tzinfo else (found.replace(tzinfo=timezone.utc), False)
    stamp = max(0, int(store.column("mtime_ns")[row])) / 1e9
    return datetime.fromtimestamp(stamp if stamp < 1e11 else 0, timezone.utc), False


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _deployments(
    texts: Mapping[str, Sequence[str]], places: Sequence[_Place]
) -> list[tuple[object, ...]]:
    rows: dict[str, list[int]] = {}
    for row, place in enumerate(places):
        rows.setdefault(place.deployment, []).append(row)
    return [_deployment(name, texts, places, of) for name, of in rows.items()]


def _deployment(
    name: str, texts: Mapping[str, Sequence[str]], places: Sequence[_Place], rows: Sequence[int]
) -> tuple[object, ...]:
    def first(column: str) -> str:
        return next(filter(None, (_text(texts, column, row) for row in rows)), "")

    def degrees(kind: str, most: float) -> float | None:
        for row in rows:
            with suppress(ValueError):
                value = float(_cell(texts, kind, row))
                if abs(value) <= most:
                    return value
        return None

    latitude, longitude = degrees("latitude", 90), degrees("longitude", 180)
    is_placed = latitude is not None and longitude is not None
    times = [places[row].time for row in rows]
    location = first("locationName") or first("placename") or first("site") or first("locality")
    return (
        *(name, first("locationID"), location),
        *((latitude, longitude, "") if is_placed else (0, 0, _ANYWHERE)),
        *(_iso(min(times)), _iso(max(times)), first("cameraID") or first("camera_id")),
        *(first("cameraModel") or first("camera"),),
        "false" if all(places[row].is_sure for row in rows) else "true",
        "" if is_placed else "location not known",
    )


def _media(
    store: Store, texts: Mapping[str, Sequence[str]], places: Sequence[_Place]
) -> list[tuple[object, ...]]:
    found: dict[str, tuple[object, ...]] = {}
    for row, place in enumerate(places):
        path = _photo(store.paths[row])
        name = path.rstrip("/").rpartition("/")[2]
        kind = mimetypes.guess_type(name)[0] or "image/jpeg"
        kind = kind if re.match(r"(image|video|audio)/", kind) else "image/jpeg"
        method = _text(texts, "captureMethod", row)
        method = method if method in {"activityDetection", "timeLapse"} else ""
        public = "true" if is_url(path) else "false"
        one = (place.media, place.deployment, method, _iso(place.time))
        found.setdefault(place.media, (*one, _package_path(path), public, name, kind))
    return list(found.values())


def _photo(path: str) -> str:
    part = parse_box_path(path) or parse_frame_path(path)
    return part[0] if part else path


def _package_path(path: str) -> str:
    """Return a path as a package may hold it: a URL, or one that leads down from its folder."""
    if is_url(path):
        return path
    parts = [part for part in re.split(r"[/\\]", path) if part not in {"", ".", "..", "~"}]
    return "/".join(parts).lstrip("./~").replace("..", "_") or "image"


def _observations(
    store: Store,
    texts: Mapping[str, Sequence[str]],
    places: Sequence[_Place],
    predictions: Sequence[Prediction],
    run: Run,
) -> list[tuple[object, ...]]:
    now = _iso(datetime.now(timezone.utc))
    by = f"fishembed {__version__}, run {run.name}, encoder {store.encoder_name}"
    boxes = _shares(store)
    rows = []
    for row, (place, one) in enumerate(zip(places, predictions, strict=True)):
        kind = "unknown" if one.unknown else _TYPES.get(one.classes[0].lower(), "animal")
        seen = _iso(place.time + timedelta(seconds=place.offset))
        event = _text(texts, "eventID", row) or texts["group"][row]
        rows.append(
            (
                *(f"obs-{row:07d}", place.deployment, place.media, event, seen, seen, "media"),
                *(kind, one.classes[0] if kind == "animal" else ""),
                *boxes.get(row, ("",) * 4),
                *("machine", by, now, f"{min(1.0, max(0.0, one.probabilities[0])):.6f}"),
                f"sent back: {one.reason}" if one.unknown else "",
            )
        )
    return rows


def _shares(store: Store) -> dict[int, tuple[float, ...]]:
    """Return the boxes of rows as shares of their photo, where the photo can be looked at."""
    boxes = np.asarray(store.boxes)
    there = np.flatnonzero(~np.isnan(boxes[:, 0]))
    root = store.source.get("root")
    if not len(there) or not root:
        return {}
    files, sizes, found = ImageFiles(str(root)), dict[str, tuple[int, int]](), {}
    for row in there.tolist():
        photo = _photo(store.paths[row])
        with suppress(ImageError):
            if photo not in sizes:
                sizes[photo] = image_size(files.at(photo))
            found[row] = _share(boxes[row].tolist(), sizes[photo])
    return found


def _share(box: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """Return a box as shares between 0 and 1, no side of it beyond the photo or nought."""
    width, height = size
    x, y = min(max(box[0] / width, 0), 0.999999), min(max(box[1] / height, 0), 0.999999)
    wide, high = min(box[2] / width, 1 - x), min(box[3] / height, 1 - y)
    return tuple(
        round(max(side, 1e-6 if at > 1 else 0), 6) for at, side in enumerate((x, y, wide, high))
    )


def _descriptor(
    title: str, deployments: Sequence[Sequence[Any]], observations: Sequence[Sequence[Any]]
) -> dict[str, object]:
    latitudes, longitudes = ([float(row[at]) for row in deployments] for at in (3, 4))
    west, south, east, north = (
        *(min(longitudes), min(latitudes)),
        *(max(longitudes), max(latitudes)),
    )
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    species = sorted({str(row[8]) for row in observations if row[8]})
    resources = [
        {
            "name": name,
            "path": f"{name}.csv",
            "profile": "tabular-data-resource",
            "format": "csv",
            "mediatype": "text/csv",
            "encoding": "utf-8",
            "schema": f"{SCHEMAS}/{name}-table-schema.json",
        }
        for name in ("deployments", "media", "observations")
    ]
    return {
        "resources": resources,
        "profile": f"{SCHEMAS}/camtrap-dp-profile.json",
        "name": re.sub(r"[^a-z0-9._-]+", "-", title.lower()).strip("-") or "predictions",
        "title": f"Predictions for {title}",
        "created": datetime.now(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "version": "1.0",
        "contributors": [{"title": f"fishembed {__version__}", "role": "contributor"}],
        "project": {
            "title": title,
            "samplingDesign": "opportunistic",
            "captureMethod": ["activityDetection"],
            "individualAnimals": False,
            "observationLevel": ["media"],
        },
        "spatial": {"type": "Polygon", "coordinates": [ring]},
        "temporal": {
            "start": min(row[6] for row in deployments)[:10],
            "end": max(row[7] for row in deployments)[:10],
        },
        "taxonomic": [{"scientificName": name} for name in species],
    }
