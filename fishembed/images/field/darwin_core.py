"""Darwin Core archives, as GBIF gives them: occurrences, with their multimedia."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from fishembed.errors import ManifestError, MissingExtraError
from fishembed.images.datasets.sample import Sample
from fishembed.images.field.field_table import (
    FieldTable,
    ImagePlaces,
    several_classes_note,
)

META = "meta.xml"
_MEDIA = ("http://rs.gbif.org/terms/1.0/Multimedia", "http://rs.tdwg.org/ac/terms/Multimedia")
_KEPT = (
    *("gbifID", "occurrenceID", "eventDate", "decimalLatitude", "decimalLongitude", "locality"),
    *("recordedBy", "identifiedBy", "basisOfRecord", "family", "sex", "lifeStage", "license"),
)
_ADDRESSES = ("identifier", "accessURI", "goodQualityAccessURI", "references")
_MOST_BYTES = 1 << 36


def read_darwin_core(place: Path) -> FieldTable:
    """Read the images of an archive with what their occurrence is.

    The class is the species, else the scientific name; the group is the event, else the occurrence.
    Images are those beside the archive, or at their URLs.

    Raises
    ------
    MissingExtraError
        When python-dwca-reader is not installed.
    ManifestError
        When the archive cannot be read.
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
    places = ImagePlaces(place if place.is_dir() else place.parent)
    table = FieldTable("Darwin Core archive")
    found: dict[str, Sample] = {}
    several: set[str] = set()
    try:
        with DwCAReader(str(place)) as archive:
            for row in archive:
                for path, sample in _images(places, row, table):
                    known = found.setdefault(path, sample)
                    if known.label != sample.label:
                        several.add(path)
    except Exception as error:  # the reader raises anything on a broken archive
        raise ManifestError(
            f"cannot read {str(place)!r} as a Darwin Core archive: {error}"
        ) from error
    table.samples = [
        Sample(path, None, "", one.group, metadata=one.metadata) if path in several else one
        for path, one in found.items()
    ]
    table.notes += several_classes_note(len(several))
    return table


def _images(places: ImagePlaces, row: Any, table: FieldTable) -> Iterator[tuple[str, Sample]]:
    """Yield the images of an occurrence."""
    data = _short(row.data)
    label = data.get("species") or data.get("scientificName") or ""
    group = data.get("eventID") or data.get("occurrenceID") or data.get("gbifID") or str(row.id)
    about = {name: data[name] for name in _KEPT if name in data}
    media = [_short(one.data) for one in row.extensions if one.rowtype in _MEDIA]
    addresses = [tuple(one.get(name, "") for name in _ADDRESSES) for one in media]
    addresses += [
        (one.strip(),) for one in data.get("associatedMedia", "").split("|") if one.strip()
    ]
    for number, names in enumerate(addresses):
        path = places.find(*names)
        if path is None:
            first = next(filter(None, names), f"medium {number + 1} of {row.id}")
            table.left_out.append((first, "neither a file here nor a URL"))
            continue
        yield path, Sample(path, label or None, "", group, metadata=about)


def _short(data: Mapping[str, str]) -> dict[str, str]:
    """Return cells by the last part of their term, such as scientificName."""
    return {term.rstrip("/").rpartition("/")[2]: str(cell or "") for term, cell in data.items()}
