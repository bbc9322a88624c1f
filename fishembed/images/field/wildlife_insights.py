"""Exports of Wildlife Insights: images.csv beside deployments.csv, images at URLs or beside."""

from __future__ import annotations

from pathlib import Path

from fishembed.images.datasets.sample import Sample
from fishembed.images.field.field_table import (
    FieldTable,
    ImagePlaces,
    Row,
    metadata_of,
    several_classes_note,
    table_rows,
)

IMAGES = "images.csv"
_OF_IMAGE = (
    *("image_id", "deployment_id", "timestamp", "wi_taxon_id", "common_name"),
    *("family", "order", "class", "age", "sex", "number_of_objects", "license"),
)
_OF_DEPLOYMENT = ("placename", "latitude", "longitude", "camera_id", "feature_type")


def read_wildlife_insights(folder: Path) -> FieldTable:
    """Read the images of an export with what they were identified as.

    The class is genus and species, else the common name; blank images are of the class "blank".
    The group is the deployment.
    """
    deployments: dict[str, Row] = {}
    if (folder / "deployments.csv").is_file():
        rows = table_rows(folder / "deployments.csv")
        deployments = {row.get("deployment_id", ""): row for row in rows}
    places, table = ImagePlaces(folder), FieldTable("Wildlife Insights export")
    by_path: dict[str, Sample | None] = {}
    for row in table_rows(folder / IMAGES):
        path = places.find(row.get("filename", ""), row.get("location", ""))
        if path is None:
            table.left_out.append((row.get("location", ""), "neither a file here nor a URL"))
            continue
        group = row.get("deployment_id", "")
        about = metadata_of(row, _OF_IMAGE)
        about |= metadata_of(deployments.get(group, {}), _OF_DEPLOYMENT)
        sample = Sample(path, _class(row) or None, "", group, metadata=about)
        known = by_path.setdefault(path, sample)
        if known is not None and known.label != sample.label:
            by_path[path] = None
            table.samples.append(Sample(path, None, "", group, metadata=about))
    several = len(table.samples)
    table.samples += [sample for sample in by_path.values() if sample is not None]
    table.samples.sort(key=lambda sample: sample.path)
    table.notes += several_classes_note(several)
    return table


def _class(row: Row) -> str:
    if row.get("is_blank", "").lower() in {"1", "true", "1.0"}:
        return "blank"
    if row.get("genus") and row.get("species"):
        return f"{row['genus']} {row['species']}"
    return row.get("genus", "") or row.get("common_name", "")
