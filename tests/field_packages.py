"""Small packages of the field, written after their published specifications."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from small_pictures import draw

URL = "https://raw.githubusercontent.com/tdwg/camtrap-dp/1.0"
DAY = "2024-05-01T1{}:00:00+0200"


def write_table(path: Path, rows: list[dict[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    names = list(dict.fromkeys(name for row in rows for name in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        writer.writerows(rows)
    return path


def camtrap_dp(root: Path, *, boxes: bool = False, images: int = 12) -> Path:
    """Write a Camtrap DP package: two cameras, foxes, boars and blanks, by media and by event."""
    resources = [
        {
            "name": name,
            "path": f"{name}.csv",
            "profile": "tabular-data-resource",
            "schema": f"{URL}/{name}-table-schema.json",
        }
        for name in ("deployments", "media", "observations")
    ]
    root.mkdir(parents=True, exist_ok=True)
    package = {"profile": f"{URL}/camtrap-dp-profile.json", "resources": resources}
    (root / "datapackage.json").write_text(json.dumps(package))
    deployments = [
        {
            "deploymentID": f"d{n}",
            "locationName": f"hill {n}",
            "latitude": 52.5 + n,
            "longitude": 13.25,
            "deploymentStart": DAY.format(0),
            "deploymentEnd": DAY.format(9),
        }
        for n in range(2)
    ]
    media, observations = [], []
    for n in range(images):
        path = f"media/{n:02d}.png"
        draw(root / path, n)
        one = {"mediaID": f"m{n}", "deploymentID": f"d{n % 2}", "timestamp": DAY.format(n % 10)}
        media.append({**one, "filePath": path, "filePublic": "true", "fileMediatype": "image/png"})
        kind = ("Vulpes vulpes", "Sus scrofa", "")[n % 3]
        seen = {
            "observationID": f"o{n}",
            "deploymentID": f"d{n % 2}",
            "mediaID": f"m{n}",
            "eventID": f"e{n // 2}",
            "eventStart": one["timestamp"],
            "eventEnd": one["timestamp"],
            "observationLevel": "media",
            "observationType": "animal" if kind else "blank",
            "scientificName": kind,
        }
        if boxes and kind:
            seen |= dict(
                zip(
                    ("bboxX", "bboxY", "bboxWidth", "bboxHeight"), (0.1, 0.2, 0.5, 0.5), strict=True
                )
            )
        observations.append(seen)
    write_table(root / "deployments.csv", deployments)
    write_table(root / "media.csv", media)
    write_table(root / "observations.csv", observations)
    return root


def wildlife_insights(root: Path, images: int = 8) -> Path:
    """Write an export of Wildlife Insights whose images lie beside it, but the last."""
    rows = []
    for n in range(images):
        name = f"IMG_{n:04d}.png"
        if n < images - 1:
            draw(root / f"downloads/d{n % 2}/{name}", n)
        rows.append(
            {
                "project_id": 1,
                "deployment_id": f"d{n % 2}",
                "image_id": f"i{n}",
                "filename": name,
                "location": f"gs://bucket/{name}",
                "is_blank": int(n == 3),
                "genus": ("Cephalophus", "Pan")[n % 2],
                "species": ("ogilbyi", "")[n % 2],
                "common_name": ("Ogilby's Duiker", "Chimpanzee")[n % 2],
                "timestamp": "2024-05-01 10:00:00",
            }
        )
    write_table(root / "images.csv", rows)
    write_table(
        root / "deployments.csv",
        [{"deployment_id": f"d{n}", "placename": f"place {n}", "latitude": n} for n in range(2)],
    )
    return root


META = """<archive xmlns="http://rs.tdwg.org/dwc/text/">
  <core encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" ignoreHeaderLines="1"
        rowType="http://rs.tdwg.org/dwc/terms/Occurrence">
    <files><location>occurrence.txt</location></files><id index="0"/>
    <field index="1" term="http://rs.tdwg.org/dwc/terms/scientificName"/>
    <field index="2" term="http://rs.gbif.org/terms/1.0/species"/>
    <field index="3" term="http://rs.tdwg.org/dwc/terms/eventDate"/>
    <field index="4" term="http://rs.tdwg.org/dwc/terms/decimalLatitude"/>
  </core>
  <extension encoding="UTF-8" fieldsTerminatedBy="\\t" linesTerminatedBy="\\n" ignoreHeaderLines="1"
             rowType="http://rs.gbif.org/terms/1.0/Multimedia">
    <files><location>multimedia.txt</location></files><coreid index="0"/>
    <field index="1" term="http://purl.org/dc/terms/type"/>
    <field index="2" term="http://purl.org/dc/terms/identifier"/>
  </extension>
</archive>
"""


def darwin_core(root: Path, occurrences: int = 6) -> Path:
    """Write a Darwin Core archive as GBIF gives it, with two images each beside it."""
    (root / "images").mkdir(parents=True, exist_ok=True)
    (root / "meta.xml").write_text(META)
    core, media = ["id\tname\tspecies\tdate\tlatitude"], ["id\ttype\tidentifier"]
    for n in range(occurrences):
        kind = ("Gadus morhua", "Anguilla anguilla")[n % 2]
        core.append(f"{n}\t{kind} Linnaeus, 1758\t{kind}\t2024-05-0{n + 1}\t{50 + n}")
        for part in "ab":
            draw(root / f"images/{n}{part}.png", 2 * n + (part == "b"))
            media.append(f"{n}\tStillImage\thttps://example.org/media/{n}{part}.png")
    (root / "occurrence.txt").write_text("\n".join(core) + "\n")
    (root / "multimedia.txt").write_text("\n".join(media) + "\n")
    return root
