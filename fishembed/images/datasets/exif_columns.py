"""EXIF as metadata columns: time, camera, latitude, longitude."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from fishembed._base.missing import is_missing
from fishembed._base.text import counted
from fishembed.errors import ImageError
from fishembed.images.datasets.boxes import CroppedImage
from fishembed.images.datasets.samples import Dataset, Sample
from fishembed.images.datasets.table_reading import cell_text
from fishembed.images.datasets.video_frames import VideoFrame
from fishembed.images.decoding.decode import open_image, opened_bytes, quiet_decoding
from fishembed.images.decoding.image_bytes import ImageBytes
from fishembed.images.decoding.video_clip import Clip

EXIF_COLUMNS = ("time", "camera", "latitude", "longitude")
_TIME = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d):(\d\d)")
_OFFSET = re.compile(r"[+-]\d\d:\d\d")


def with_exif(dataset: Dataset) -> Dataset:
    """Add time, camera, latitude and longitude to the metadata of a dataset's samples.

    Values of a table under these names stay. Only the headers of files are read; an image without
    EXIF, or with a broken one, has missing values.

    Returns
    -------
    Dataset
        With a note on how many images have a time, and how many a place.
    """
    with quiet_decoding(), ThreadPoolExecutor(min(8, 2 * (os.cpu_count() or 1))) as pool:
        found = list(pool.map(lambda sample: _facts(dataset, sample), dataset.samples))
    for cached in (_facts_of_image, _began):  # a file may change before the next call
        cached.cache_clear()
    samples = [
        replace(sample, metadata=_added(sample.metadata, facts))
        for sample, facts in zip(dataset.samples, found, strict=True)
    ]
    timed = sum(bool(facts["time"]) for facts in found)
    placed = sum(bool(facts["latitude"]) for facts in found)
    note = (
        f"EXIF tells the time of {timed:,} and the place of {placed:,} of "
        f"{counted(len(found), 'image')}"
    )
    return replace(dataset, samples=tuple(samples), notes=(*dataset.notes, note))


def _added(known: Mapping[str, str], facts: Mapping[str, str]) -> dict[str, str]:
    known = {name: cell for name, cell in known.items() if cell or name not in facts}
    return {**known, **{name: cell for name, cell in facts.items() if not known.get(name)}}


def _facts(dataset: Dataset, sample: Sample) -> Mapping[str, str]:
    file = dataset.at(sample.path)
    try:
        if isinstance(file, VideoFrame):
            return _facts_of_frame(file)
        return _facts_of_image(file.file if isinstance(file, CroppedImage) else file)
    except (ImageError, OSError):
        return dict.fromkeys(EXIF_COLUMNS, "")


@lru_cache(64)
def _facts_of_image(file: str | Path | ImageBytes) -> Mapping[str, str]:
    try:
        with opened_bytes(file) as (source, start):
            # Most RAW files are TIFFs, whose header has the facts.
            is_tiff = start[:4] in {b"II*\0", b"MM\0*"}
            opened = Image.open(source, formats=("TIFF",)) if is_tiff else open_image(source, start)
            with opened as image:
                return exif_facts(image.getexif())
    except Exception:  # Pillow's readers raise anything on broken bytes
        return dict.fromkeys(EXIF_COLUMNS, "")


def exif_facts(exif: Image.Exif) -> dict[str, str]:
    """Return time, camera, latitude and longitude as EXIF has them, "" for what it lacks.

    The time is in ISO 8601, with its offset from UTC where the camera wrote one; degrees are
    decimal, south and west negative.
    """
    inner = exif.get_ifd(ExifTags.IFD.Exif)
    base, place = ExifTags.Base, exif.get_ifd(ExifTags.IFD.GPSInfo)
    when = inner.get(base.DateTimeOriginal) or inner.get(base.DateTimeDigitized)
    offset = str(inner.get(base.OffsetTimeOriginal) or "").strip("\0 ")
    return {
        "time": _iso_time(str(when or exif.get(base.DateTime) or ""), offset),
        "camera": _camera(_text(exif.get(base.Make)), _text(exif.get(base.Model))),
        "latitude": _degrees(place, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, 90),
        "longitude": _degrees(place, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, 180),
    }


def _text(value: object) -> str:
    if isinstance(value, bytes):
        value = value.decode("utf-8", "replace")
    text = cell_text("" if value is None else value).strip()
    return "" if is_missing(text) else text


def _iso_time(text: str, offset: str) -> str:
    match = _TIME.match(text.strip("\0 "))
    if match is None:
        return ""
    try:
        time = datetime(*map(int, match.groups()))  # type: ignore[arg-type]
    except ValueError:
        return ""
    return time.isoformat() + (offset if _OFFSET.fullmatch(offset) else "")


def _camera(make: str, model: str) -> str:
    return model if model.lower().startswith(make.lower()) else f"{make} {model}".strip()


def _degrees(place: Mapping[int, Any], value: int, reference: int, most: float) -> str:
    try:
        degrees, minutes, seconds = (float(part) for part in place[value])
        size = degrees + minutes / 60 + seconds / 3600
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return ""
    if not 0 <= size <= most:
        return ""
    sign = -1 if _text(place.get(reference)).upper()[:1] in {"S", "W"} else 1
    return f"{sign * size:.7g}" if size else "0"


def _facts_of_frame(frame: VideoFrame) -> Mapping[str, str]:
    """Return the time of a frame, where the video has the time of its start."""
    began = _began(frame.clip)
    facts = dict.fromkeys(EXIF_COLUMNS, "")
    if began is not None:
        time = began + timedelta(seconds=frame.time)
        facts["time"] = time.isoformat(timespec="milliseconds" if time.microsecond else "seconds")
    return facts


@lru_cache(64)
def _began(clip: str | ImageBytes) -> datetime | None:
    with closing(Clip(clip)) as opened:
        text = opened.tags.get("creation_time", "")
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
