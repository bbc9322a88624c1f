"""Packages and exports of the field are read as what they are, with classes, groups and ids."""

from __future__ import annotations

import json
import shutil

import pytest
from field_packages import camtrap_dp, darwin_core, wildlife_insights, write_table
from small_pictures import draw

from fishembed.errors import ManifestError
from fishembed.images import BoxOptions, ImageFiles, open_dataset, read_bytes


@pytest.mark.parametrize("named", ["", "datapackage.json"])
def test_camtrap_dp(tmp_path, named):
    root = camtrap_dp(tmp_path / "package")
    found = open_dataset(root / named)
    assert found.kind == "Camtrap DP package"
    assert [sample.path for sample in found.samples] == [f"media/{n:02d}.png" for n in range(12)]
    labels = [sample.label for sample in found.samples[:3]]
    assert labels == ["Vulpes vulpes", "Sus scrofa", "blank"]
    assert found.samples[3].group == "d1/e1"
    about = found.samples[3].metadata
    assert (about["mediaID"], about["deploymentID"]) == ("m3", "d1")
    assert (about["locationName"], about["latitude"], about["eventID"]) == ("hill 1", "53.5", "e1")
    assert about["timestamp"] == "2024-05-01T13:00:00+0200"


def test_observations_of_events_are_those_of_their_media(tmp_path):
    root = camtrap_dp(tmp_path / "package")
    write_table(
        root / "observations.csv",
        [
            {
                "observationID": "o",
                "deploymentID": "d0",
                "eventID": "night",
                "eventStart": "2024-05-01T10:00:00Z",
                "eventEnd": "2024-05-01T12:00:00Z",
                "observationLevel": "event",
                "observationType": "animal",
                "scientificName": "Meles meles",
            }
        ],
    )
    found = open_dataset(root).samples
    inside = {sample.path for sample in found if sample.label == "Meles meles"}
    assert inside == {"media/02.png", "media/04.png"}  # 12 and 14 o'clock, two hours ahead of UTC
    assert {sample.group for sample in found if sample.path in inside} == {"d0/night"}
    assert {sample.label for sample in found if sample.path not in inside} == {None}


def test_boxes_of_camtrap_dp(tmp_path):
    found = open_dataset(camtrap_dp(tmp_path / "package", boxes=True))
    assert len(found.samples) == 8
    assert {sample.label for sample in found.samples} == {"Vulpes vulpes", "Sus scrofa"}
    assert all(sample.box is not None for sample in found.samples)
    assert "4 photos without a box" in found.notes[-1]
    both = open_dataset(tmp_path / "package", boxes=BoxOptions(whole_images=True))
    assert len(both.samples) == 20


def test_several_species_on_one_image_have_no_class(tmp_path):
    root = camtrap_dp(tmp_path / "package", images=1)
    shared = {"deploymentID": "d0", "mediaID": "m0", "observationType": "animal"}
    write_table(
        root / "observations.csv",
        [
            {**shared, "observationID": f"o{n}", "scientificName": name}
            for n, name in enumerate(("Sus scrofa", "Meles meles"))
        ],
    )
    found = open_dataset(root)
    assert found.samples[0].label is None
    assert "1 image with several species and no boxes: without a class" in found.notes


def test_what_a_package_lacks_is_left_out_by_name(tmp_path):
    root = camtrap_dp(tmp_path / "package")
    (root / "media/03.png").unlink()
    found = open_dataset(root)
    assert len(found.samples) == 11
    assert found.unread == (("media/03.png", "the package does not have the file"),)


@pytest.mark.parametrize("path", ["../outside.csv", "/etc/passwd"])
def test_no_table_outside_a_package_is_read(tmp_path, path):
    root = camtrap_dp(tmp_path / "package")
    package = json.loads((root / "datapackage.json").read_text())
    package["resources"][2]["path"] = path
    (root / "datapackage.json").write_text(json.dumps(package))
    with pytest.raises(ManifestError, match="outside the package"):
        open_dataset(root)


def test_no_image_outside_a_package_is_read(tmp_path):
    draw(tmp_path / "secret.png", 0)
    root = camtrap_dp(tmp_path / "package", images=2)
    text = (root / "media.csv").read_text()
    (root / "media.csv").write_text(text.replace("media/01.png", "../secret.png"))
    assert [sample.path for sample in open_dataset(root).samples] == ["media/00.png"]


def test_wildlife_insights(tmp_path):
    found = open_dataset(wildlife_insights(tmp_path / "export"))
    by_name = {sample.path.rpartition("/")[2]: sample for sample in found.samples}
    assert len(by_name) == 8
    assert by_name["IMG_0000.png"].label == "Cephalophus ogilbyi"
    assert by_name["IMG_0001.png"].label == "Pan"
    assert by_name["IMG_0003.png"].label == "blank"
    assert by_name["IMG_0001.png"].path == "downloads/d1/IMG_0001.png"
    assert by_name["IMG_0001.png"].group == "d1"
    assert by_name["IMG_0001.png"].metadata["image_id"] == "i1"
    assert by_name["IMG_0001.png"].metadata["placename"] == "place 1"
    assert by_name["IMG_0007.png"].path == "gs://bucket/IMG_0007.png"
    assert found.kind == "Wildlife Insights export"


@pytest.mark.parametrize("packed", [False, True])
def test_darwin_core(tmp_path, packed):
    pytest.importorskip("dwca")
    root = place = darwin_core(tmp_path / "gbif")
    if packed:
        place = root.parent / "gbif.zip"
        shutil.make_archive(str(place.with_suffix("")), "zip", root)
    found = open_dataset(place)
    assert len(found.samples) == 12
    assert {sample.label for sample in found.samples} == {"Gadus morhua", "Anguilla anguilla"}
    one = found.samples[3]
    assert one.path.endswith("images/1b.png")
    assert (one.group, one.metadata["eventDate"]) == ("1", "2024-05-02")
    assert len({sample.group for sample in found.samples}) == 6
    assert read_bytes(found.at(one.path)) == read_bytes(root / "images/1b.png")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # the library's
def test_an_archive_that_cannot_be_read_is_named(tmp_path):
    pytest.importorskip("dwca")
    root = darwin_core(tmp_path / "gbif")
    (root / "meta.xml").write_text("<archive")
    with pytest.raises(ManifestError, match="Darwin Core"):
        open_dataset(root)


def test_exports_of_inaturalist_and_fathomnet_are_manifests(tmp_path):
    for n in range(3):
        draw(tmp_path / f"{n}.png", n)
    write_table(
        tmp_path / "observations.csv",
        [
            {"id": n // 2, "image_url": f"{n}.png", "scientific_name": "Asterias rubens"}
            for n in range(3)
        ],
    )
    write_table(
        tmp_path / "fathomnet.csv",
        [
            {"concept": "Bathochordaeus", "x": 2, "y": 3, "width": 10, "height": 8, "url": "0.png"},
            {"concept": "Aegina", "x": 20, "y": 13, "width": 10, "height": 8, "url": "0.png"},
        ],
    )
    plants = open_dataset(tmp_path / "observations.csv")
    assert [sample.group for sample in plants.samples] == ["0", "0", "1"]
    assert {sample.label for sample in plants.samples} == {"Asterias rubens"}
    assert any("export of iNaturalist" in note for note in plants.notes)
    boxes = open_dataset(tmp_path / "fathomnet.csv")
    assert [sample.label for sample in boxes.samples] == ["Bathochordaeus", "Aegina"]
    assert boxes.samples[0].box == (2, 3, 10, 8)


def test_pages_show_boxes_of_packages_with_their_surroundings(tmp_path):
    found = open_dataset(camtrap_dp(tmp_path / "package", boxes=True))
    files = ImageFiles(found.root)
    assert read_bytes(files.at(found.samples[0].path)).startswith(b"P6")
