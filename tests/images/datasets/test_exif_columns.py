"""Time, camera and place that cameras wrote become metadata; what is broken is missing."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import ExifTags, Image
from small_clips import draw_clip
from small_pictures import draw

from fishembed.images import open_dataset, with_exif
from fishembed.images.datasets.exif_columns import EXIF_COLUMNS, exif_facts


def exif(when="2021:06:05 10:11:12", offset="+02:00", south=True, camera=("Canon", "Canon EOS R5")):
    found = Image.Exif()
    found[ExifTags.Base.Make], found[ExifTags.Base.Model] = camera
    inner = found.get_ifd(ExifTags.IFD.Exif)
    inner[ExifTags.Base.DateTimeOriginal] = when
    inner[ExifTags.Base.OffsetTimeOriginal] = offset
    place = found.get_ifd(ExifTags.IFD.GPSInfo)
    place[ExifTags.GPS.GPSLatitudeRef] = "S" if south else "N"
    place[ExifTags.GPS.GPSLatitude] = (23.0, 30.0, 0.0)
    place[ExifTags.GPS.GPSLongitudeRef] = "E"
    place[ExifTags.GPS.GPSLongitude] = (151.0, 55.0, 12.0)
    return found


def photo(path: Path, found: Image.Exif | None = None, kind: str | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (48, 40), "teal").save(path, kind, exif=(found or exif()).tobytes())
    return path


def facts(root: Path) -> dict[str, dict[str, str]]:
    found = with_exif(open_dataset(root))
    return {sample.path: dict(sample.metadata) for sample in found.samples}


WHOLE = {
    "time": "2021-06-05T10:11:12+02:00",
    "camera": "Canon EOS R5",
    "latitude": "-23.5",
    "longitude": "151.92",
}


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif", "a.heic"])
def test_every_format_that_has_exif(tmp_path, name):
    if name.endswith("heic"):
        pytest.importorskip("pillow_heif").register_heif_opener()
    photo(tmp_path / name, kind="HEIF" if name.endswith("heic") else None)
    assert facts(tmp_path) == {name: WHOLE}


def test_what_is_not_there_is_missing(tmp_path):
    draw(tmp_path / "plain.png", 0)
    photo(tmp_path / "odd.jpg", exif("0000:00:00 00:00:00", "zz", camera=("", "\0")))
    (tmp_path / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe1\0\x20Exif\0\0II*\0\xff\xff")
    found = facts(tmp_path)
    assert found["plain.png"] == dict.fromkeys(EXIF_COLUMNS, "")
    assert found["broken.jpg"] == dict.fromkeys(EXIF_COLUMNS, "")
    assert found["odd.jpg"] == {**WHOLE, "time": "", "camera": ""}


def test_places_that_cannot_be_are_missing():
    found = exif()
    place = found.get_ifd(ExifTags.IFD.GPSInfo)
    for wrong in ((91.0, 0.0, 0.0), (1.0,), ("a", "b", "c"), 12):
        place[ExifTags.GPS.GPSLatitude] = wrong
        assert not exif_facts(found)["latitude"]


def test_a_table_wins_over_the_photo_where_it_says_something(tmp_path):
    photo(tmp_path / "a.jpg")
    photo(tmp_path / "b.jpg")
    (tmp_path / "m.csv").write_text(
        "path,label,time,site\na.jpg,cod,noon,north\nb.jpg,cod,,south\n"
    )
    found = {s.path: s.metadata for s in with_exif(open_dataset(tmp_path / "m.csv")).samples}
    assert (found["a.jpg"]["time"], found["b.jpg"]["time"]) == ("noon", WHOLE["time"])
    assert [found[name]["site"] for name in ("a.jpg", "b.jpg")] == ["north", "south"]
    assert found["a.jpg"]["camera"] == WHOLE["camera"]


def test_boxes_have_the_facts_of_their_photo(tmp_path):
    photo(tmp_path / "a.jpg")
    (tmp_path / "m.csv").write_text(
        "path,label,x,y,width,height\na.jpg,cod,1,1,9,9\na.jpg,eel,20,20,9,9\n"
    )
    found = with_exif(open_dataset(tmp_path / "m.csv")).samples
    assert [sample.metadata["camera"] for sample in found] == [WHOLE["camera"]] * 2


def test_frames_have_the_time_of_their_video_and_their_own(tmp_path):
    av = pytest.importorskip("av")
    whole = draw_clip(tmp_path / "whole.mkv", seconds=2)
    with av.open(whole) as source, av.open(tmp_path / "a.mkv", "w") as out:
        out.metadata["creation_time"] = "2021-06-05T10:11:12.000000Z"
        own = source.streams.video[0]
        stream = out.add_stream_from_template(own)
        for packet in source.demux(own):
            if packet.dts is not None:
                packet.stream = stream
                out.mux(packet)
    whole.unlink()
    found = with_exif(open_dataset(tmp_path, fps=2)).samples
    assert [sample.metadata["time"] for sample in found] == [
        "2021-06-05T10:11:12+00:00",
        "2021-06-05T10:11:12.500+00:00",
        "2021-06-05T10:11:13+00:00",
        "2021-06-05T10:11:13.500+00:00",
    ]
