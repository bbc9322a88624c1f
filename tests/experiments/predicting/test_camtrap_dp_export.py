"""Predictions leave as a Camtrap DP package that validates, and its ids join back."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from field_packages import camtrap_dp, write_table
from PIL import Image
from small_pictures import draw

from fishembed import export_camtrap_dp, import_features, predict_run, run_fit
from fishembed.errors import InputError
from fishembed.extraction import extract
from fishembed.images import open_dataset

KINDS = ("animal", "human", "vehicle", "blank", "unknown", "unclassified")
DATE = {"type": "datetime", "format": "%Y-%m-%dT%H:%M:%S%z"}
SHARE = {"type": "number", "constraints": {"minimum": 0, "maximum": 1}}


def field(name: str, kind: dict | None = None, *, required: bool = False, **limits) -> dict:
    known = kind or {"type": "string"}
    limits = {**known.get("constraints", {}), **limits, "required": required}
    return {"name": name, **known, "constraints": limits}


def key(column: str, table: str) -> dict:
    return {"fields": column, "reference": {"resource": table, "fields": column}}


SCHEMAS = {
    "deployments": {
        "fields": [
            field("deploymentID", required=True, unique=True),
            *map(field, ("locationID", "locationName")),
            field("latitude", {"type": "number"}, required=True, minimum=-90, maximum=90),
            field("longitude", {"type": "number"}, required=True, minimum=-180, maximum=180),
            field("coordinateUncertainty", {"type": "integer"}, minimum=1),
            *(field(f"deployment{end}", DATE, required=True) for end in ("Start", "End")),
            *map(field, ("cameraID", "cameraModel")),
            field("timestampIssues", {"type": "boolean"}),
            field("deploymentComments"),
        ],
        "missingValues": ["", "NA", "NaN", "nan"],
        "primaryKey": ["deploymentID"],
    },
    "media": {
        "fields": [
            field("mediaID", required=True, unique=True),
            field("deploymentID", required=True),
            field("captureMethod", enum=["activityDetection", "timeLapse"]),
            field("timestamp", DATE, required=True),
            field("filePath", required=True, pattern=r"^(?=^[^./~])(^((?!\.{2}).)*$).*$"),
            field("filePublic", {"type": "boolean"}, required=True),
            field("fileName"),
            field("fileMediatype", required=True, pattern="^(image|video|audio)/.*$"),
        ],
        "missingValues": ["", "NA", "NaN", "nan"],
        "primaryKey": ["mediaID"],
        "foreignKeys": [key("deploymentID", "deployments")],
    },
    "observations": {
        "fields": [
            field("observationID", required=True, unique=True),
            field("deploymentID", required=True),
            *map(field, ("mediaID", "eventID")),
            *(field(f"event{end}", DATE, required=True) for end in ("Start", "End")),
            field("observationLevel", required=True, enum=["media", "event"]),
            field("observationType", required=True, enum=list(KINDS)),
            field("scientificName"),
            *(field(f"bbox{side}", SHARE) for side in ("X", "Y")),
            *(
                field(f"bbox{s}", {"type": "number"}, minimum=1e-15, maximum=1)
                for s in ("Width", "Height")
            ),
            field("classificationMethod", enum=["human", "machine"]),
            field("classifiedBy"),
            field("classificationTimestamp", DATE),
            field("classificationProbability", SHARE),
            field("observationComments"),
        ],
        "missingValues": ["", "NA", "NaN", "nan"],
        "primaryKey": ["observationID"],
        "foreignKeys": [key("mediaID", "media"), key("deploymentID", "deployments")],
    },
}
"""The published table schemas of Camtrap DP 1.0, those columns that are written, by hand."""


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def problems(folder: Path) -> list[str]:
    """Validate a package with frictionless, its published schemas being those above."""
    frictionless = pytest.importorskip("frictionless")
    package = json.loads((folder / "datapackage.json").read_text(encoding="utf-8"))
    for part in ("created", "contributors", "project", "spatial", "temporal", "taxonomic"):
        assert package[part], part
    assert package["profile"].endswith("/1.0/camtrap-dp-profile.json")
    for resource in package["resources"]:
        assert resource["schema"].endswith(f"/1.0/{resource['name']}-table-schema.json")
        resource["schema"] = SCHEMAS[resource["name"]]
    del package["profile"]  # it is at a URL
    copy = folder / "validated.json"
    copy.write_text(json.dumps(package))
    found = frictionless.validate(str(copy))
    copy.unlink()
    assert found.stats["tasks"] == 3
    return [str(row) for row in found.flatten(["message"])]


@pytest.fixture
def run(workspace):
    camtrap_dp(workspace / "trap", images=24)
    extract("trap", "trap.h5", encoder=FakeEncoder(width=12))
    return run_fit("trap.h5", head="centroid")


def test_a_package_goes_out_as_it_came_in(run, workspace):
    folder = export_camtrap_dp(run, "trap.h5", workspace / "out")
    assert problems(folder) == []
    before = {row["mediaID"]: row for row in rows(workspace / "trap", "media")}
    after = {row["mediaID"]: row for row in rows(folder, "media")}
    assert after.keys() == before.keys()
    assert all(after[one]["filePath"] == before[one]["filePath"] for one in before)
    assert all(after[one]["deploymentID"] == before[one]["deploymentID"] for one in before)
    assert after["m3"]["timestamp"] == "2024-05-01T13:00:00+02:00"
    assert {row["latitude"] for row in rows(folder, "deployments")} == {"52.5", "53.5"}
    assert {row["timestampIssues"] for row in rows(folder, "deployments")} == {"false"}


def test_observations_are_the_calibrated_predictions(run, workspace):
    folder = export_camtrap_dp(run, "trap.h5", workspace / "out")
    found = predict_run(run, ["trap.h5"], top=1).predictions
    for row, one in zip(rows(folder, "observations"), found, strict=True):
        assert float(row["classificationProbability"]) == pytest.approx(
            one.probabilities[0], abs=1e-6
        )
        named = row["scientificName"] or row["observationType"]
        assert named == ("unknown" if one.unknown else one.classes[0])
        assert row["classificationMethod"] == "machine"
        assert run.name in row["classifiedBy"]
    kinds = {row["observationType"] for row in rows(folder, "observations")}
    assert kinds <= {"animal", "blank", "unknown"}


def test_the_exported_package_is_read_again(run, workspace):
    (workspace / "trap/datapackage.json").unlink()
    folder = export_camtrap_dp(run, "trap.h5", workspace / "out")
    (workspace / "trap/media").rename(folder / "media")
    found = open_dataset(folder)
    assert len(found.samples) == 24
    assert {sample.label for sample in found.samples} <= {
        "Vulpes vulpes",
        "Sus scrofa",
        "blank",
        None,
    }


def test_boxes_are_shares_of_their_photo(workspace):
    for n in range(4):
        Image.new("RGB", (100, 50), (40 * n, 90, 30)).save(workspace / f"{n}.png")
    write_table(
        workspace / "m.csv",
        [
            {
                "path": f"{n}.png",
                "label": "ab"[n % 2],
                "x": 10 + at,
                "y": 5,
                "width": 50,
                "height": 60,
            }
            for n in range(4)
            for at in (0, 60)
        ],
    )
    extract("m.csv", "m.h5", encoder=FakeEncoder(width=12))
    folder = export_camtrap_dp(run_fit("m.h5", head="centroid"), "m.h5", "out")
    assert problems(folder) == []
    assert len(rows(folder, "media")) == 4
    observations = rows(folder, "observations")
    assert len(observations) == 8
    boxes = [
        tuple(float(row[f"bbox{s}"]) for s in ("X", "Y", "Width", "Height")) for row in observations
    ]
    assert boxes[:2] == [(0.1, 0.1, 0.5, 0.9), (0.7, 0.1, 0.3, 0.9)]


def test_a_plain_folder_and_imported_features_validate_too(workspace):
    for n in range(8):
        draw(workspace / f"p/{'ab'[n % 2]}/{n}.png", n)
    extract("p", "p.h5", encoder=FakeEncoder(width=12))
    folder = export_camtrap_dp(run_fit("p.h5", head="centroid"), "p.h5", "plain")
    assert problems(folder) == []
    (deployment,) = rows(folder, "deployments")
    assert (deployment["coordinateUncertainty"], deployment["timestampIssues"]) == (
        "20037508",
        "true",
    )
    labels = np.arange(40) % 2
    X = np.eye(3)[labels] + np.random.default_rng(0).normal(0, 0.1, (40, 3))
    arrays = {"features": X, "labels": labels, "classes": ["cod", "eel"]}
    arrays["paths"] = [f"/data/../x/{n}.jpg" for n in range(40)]
    store = import_features(arrays, "f.h5")
    folder = export_camtrap_dp(run_fit(store, head="centroid"), store, "imported")
    assert problems(folder) == []


def test_nothing_is_written_over(run, workspace):
    (workspace / "out").mkdir()
    with pytest.raises(InputError, match="there already"):
        export_camtrap_dp(run, "trap.h5", workspace / "out")
