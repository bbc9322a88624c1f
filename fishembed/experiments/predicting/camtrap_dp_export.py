"""Export predictions as a Camera Trap Data Package (Camtrap DP 1.0)."""

from __future__ import annotations

import json
import mimetypes
import re
from collections.abc import Iterable, Mapping, Sequence
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
from fishembed.cache.store_columns import metadata_texts
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
"""Names that tables have for a column, in the order of search."""

_TYPES = {
    **dict.fromkeys(("blank", "empty", "background", "no animal"), "blank"),
    **dict.fromkeys(("human", "person", "people"), "human"),
    **dict.fromkeys(("vehicle", "car"), "vehicle"),
    **dict.fromkeys(("unknown", "unclassified"), "unknown"),
}
_ANYWHERE = 20_037_508
"""Metres: half the way around the Earth, the uncertainty of an unknown place."""


@dataclass(frozen=True)
class _Row:
    """A row of the store: its cells by column, its medium, and where and when it was taken."""

    cells: Mapping[str, str]
    media: str
    path: str
    deployment: str
    time: datetime
    is_sure: bool
    offset: float


def export_camtrap_dp(run: str | Path | Run, store: str | Path, target: str | Path) -> Path:
    """Write a run's predictions for the images of a store as a Camtrap DP package.

    Each row becomes an observation with its calibrated probability, its medium and, where it is a
    part of an image, its box. Ids of media and deployments, times and coordinates are those of the
    store's metadata, so that they join back. A missing time is that of the file, marked by
    `timestampIssues`; a missing place has an uncertainty as large as the Earth.

    Parameters
    ----------
    run
        The run that predicts, or its folder.
    store
        The store with the images' features.
    target
        A new folder. Its `datapackage.json` has defaults for the project: complete them.

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
        rows = _rows(opened)
        by = f"fishembed {__version__}, run {run.name}, encoder {opened.encoder_name}"
        observations = _observations(rows, _shares(opened, rows), found.predictions, by)
        title = opened.path.stem
    deployments, media = _deployments(rows), _media(rows)
    target.parent.mkdir(parents=True, exist_ok=True)
    with atomic_folder(target) as temporary:
        write_csv(temporary / "deployments.csv", DEPLOYMENTS, deployments)
        write_csv(temporary / "media.csv", MEDIA, media)
        write_csv(temporary / "observations.csv", OBSERVATIONS, observations)
        package = _descriptor(title, deployments, observations)
        write_text(temporary / "datapackage.json", json.dumps(package, indent=2) + "\n")
    return target


def _rows(store: Store) -> list[_Row]:
    texts = metadata_texts(store, np.arange(len(store)))
    every = (dict(zip(texts, cells, strict=True)) for cells in zip(*texts.values(), strict=True))
    changed = store.column("mtime_ns").tolist()
    return [_row(*row) for row in zip(store.paths, every, changed, strict=True)]


def _row(path: str, cells: Mapping[str, str], changed: int) -> _Row:
    moment = parse_frame_path(path)
    medium = (parse_box_path(path) or moment or (path,))[0]
    offset = moment[1] if moment else 0.0
    time, is_sure = _time(_first([cells], *_NAMES["time"]), changed)
    return _Row(
        cells,
        _first([cells], "mediaID", "image_id") or medium,
        medium,
        _first([cells], *_NAMES["deployment"]) or "d1",
        time - timedelta(seconds=offset if is_sure else 0),
        is_sure,
        offset,
    )


def _first(rows: Iterable[Mapping[str, str]], *columns: str) -> str:
    """Return the first cell that is not empty, of the first column that has one; else ""."""
    return next((row[column] for column in columns for row in rows if row.get(column)), "")


def _time(text: str, changed: int) -> tuple[datetime, bool]:
    """Return the time of a row, and whether its metadata has one with an offset from UTC."""
    with suppress(ValueError):
        found = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
        return (found, True) if found.tzinfo else (found.replace(tzinfo=timezone.utc), False)
    stamp = max(0, changed) / 1e9
    return datetime.fromtimestamp(stamp if stamp < 1e11 else 0, timezone.utc), False


def _iso(time: datetime) -> str:
    return time.isoformat(timespec="seconds")


def _deployments(rows: Sequence[_Row]) -> list[tuple[object, ...]]:
    found: dict[str, list[_Row]] = {}
    for row in rows:
        found.setdefault(row.deployment, []).append(row)
    return [_deployment(name, own) for name, own in found.items()]


def _deployment(name: str, rows: Sequence[_Row]) -> tuple[object, ...]:
    cells = [row.cells for row in rows]
    latitude, longitude = _degrees(cells, "latitude", 90), _degrees(cells, "longitude", 180)
    is_placed = latitude is not None and longitude is not None
    times = [row.time for row in rows]
    location = _first(cells, "locationName", "placename", "site", "locality")
    return (
        *(name, _first(cells, "locationID"), location),
        *((latitude, longitude, "") if is_placed else (0, 0, _ANYWHERE)),
        *(_iso(min(times)), _iso(max(times)), _first(cells, "cameraID", "camera_id")),
        _first(cells, "cameraModel", "camera"),
        "false" if all(row.is_sure for row in rows) else "true",
        "" if is_placed else "location not known",
    )


def _degrees(rows: Sequence[Mapping[str, str]], kind: str, most: float) -> float | None:
    for row in rows:
        with suppress(ValueError):
            value = float(_first([row], *_NAMES[kind]))
            if abs(value) <= most:
                return value
    return None


def _media(rows: Sequence[_Row]) -> list[tuple[object, ...]]:
    found: dict[str, _Row] = {}
    for row in rows:
        found.setdefault(row.media, row)
    return [_medium(row) for row in found.values()]


def _medium(row: _Row) -> tuple[object, ...]:
    name = row.path.rstrip("/").rpartition("/")[2]
    kind = mimetypes.guess_type(name)[0] or "image/jpeg"
    kind = kind if re.match(r"(image|video|audio)/", kind) else "image/jpeg"
    method = row.cells.get("captureMethod", "")
    method = method if method in {"activityDetection", "timeLapse"} else ""
    public = "true" if is_url(row.path) else "false"
    about = (row.media, row.deployment, method, _iso(row.time))
    return (*about, _package_path(row.path), public, name, kind)


def _package_path(path: str) -> str:
    """Return a path that a package may contain: a URL, or one below its folder."""
    if is_url(path):
        return path
    parts = [part for part in re.split(r"[/\\]", path) if part not in {"", ".", "..", "~"}]
    return "/".join(parts).lstrip("./~").replace("..", "_") or "image"


def _observations(
    rows: Sequence[_Row],
    boxes: Mapping[int, tuple[float, ...]],
    predictions: Sequence[Prediction],
    by: str,
) -> list[tuple[object, ...]]:
    now = _iso(datetime.now(timezone.utc))
    found: list[tuple[object, ...]] = []
    for number, (row, one) in enumerate(zip(rows, predictions, strict=True)):
        kind = "unknown" if one.unknown else _TYPES.get(one.classes[0].lower(), "animal")
        seen = _iso(row.time + timedelta(seconds=row.offset))
        event = _first([row.cells], "eventID", "group")
        observation = (
            *(f"obs-{number:07d}", row.deployment, row.media, event, seen, seen, "media"),
            *(kind, one.classes[0] if kind == "animal" else ""),
            *boxes.get(number, ("",) * 4),
            *("machine", by, now, f"{min(1.0, max(0.0, one.probabilities[0])):.6f}"),
            f"sent back: {one.reason}" if one.unknown else "",
        )
        found.append(observation)
    return found


def _shares(store: Store, rows: Sequence[_Row]) -> dict[int, tuple[float, ...]]:
    """Return the boxes of rows as shares of their image, where its size can be read."""
    boxes = np.asarray(store.boxes)
    there = np.flatnonzero(~np.isnan(boxes[:, 0]))
    root = store.source.get("root")
    if not len(there) or not root:
        return {}
    files, sizes, found = ImageFiles(str(root)), dict[str, tuple[int, int]](), {}
    for at in there.tolist():
        image = rows[at].path
        with suppress(ImageError):
            if image not in sizes:
                sizes[image] = image_size(files.at(image))
            found[at] = _share(boxes[at].tolist(), sizes[image])
    return found


def _share(box: Sequence[float], size: tuple[int, int]) -> tuple[float, ...]:
    """Return a box as shares between 0 and 1, inside the image, no side of it 0."""
    x, y = (min(max(at / side, 0), 0.999999) for at, side in zip(box[:2], size, strict=True))
    wide, high = min(box[2] / size[0], 1 - x), min(box[3] / size[1], 1 - y)
    return round(x, 6), round(y, 6), *(round(max(side, 1e-6), 6) for side in (wide, high))


def _descriptor(
    title: str, deployments: Sequence[Sequence[Any]], observations: Sequence[Sequence[Any]]
) -> dict[str, object]:
    latitudes, longitudes = ([float(row[at]) for row in deployments] for at in (3, 4))
    south, north = min(latitudes), max(latitudes)
    west, east = min(longitudes), max(longitudes)
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
