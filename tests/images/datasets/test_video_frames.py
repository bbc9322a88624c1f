"""Which frames of videos become samples: at a rate, or where something changes."""

from __future__ import annotations

import io
import tarfile

import numpy as np
import pytest
from small_clips import draw_clip, second_of
from small_pictures import draw
from upath import UPath

from fishembed.errors import InputError
from fishembed.images import ImageFiles, decode, open_dataset, read_bytes
from fishembed.images.datasets.video_frames import frame_path, parse_frame_path


@pytest.mark.parametrize(("fps", "times"), [(1, range(4)), (0.5, (0, 2)), (2, np.arange(8) / 2)])
def test_so_many_frames_a_second(tmp_path, fps, times):
    draw_clip(tmp_path / "cod/a.mp4", seconds=4)
    found = open_dataset(tmp_path, fps=fps)
    assert [sample.time for sample in found.samples] == list(times)
    assert {sample.group for sample in found.samples} == {"cod/a.mp4"}
    assert all(parse_frame_path(s.path) == ("cod/a.mp4", s.time) for s in found.samples)
    for sample in found.samples:
        shown = second_of(np.asarray(decode(read_bytes(found.at(sample.path)))))
        assert shown == int(sample.time)


def test_only_frames_that_differ_without_a_rate(tmp_path):
    draw_clip(tmp_path / "still.mp4", seconds=6, still=True)
    draw_clip(tmp_path / "moving.mp4", seconds=6)
    times: dict[str, list[float]] = {}
    for sample in open_dataset(tmp_path).samples:
        times.setdefault(sample.group, []).append(sample.time)
    assert times["still.mp4"] == [0]
    assert times["moving.mp4"] == [0, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("fps", [0, -1, 241])
def test_rates_that_make_no_sense_are_refused(tmp_path, fps):
    draw_clip(tmp_path / "a.mp4", seconds=1)
    with pytest.raises(InputError, match="fps"):
        open_dataset(tmp_path, fps=fps)


def test_clips_in_tars_and_manifests(tmp_path):
    clip = draw_clip(tmp_path / "clips/a.mp4", seconds=2)
    (tmp_path / "m.csv").write_text("path,label,site\nclips/a.mp4,cod,north\n")
    with tarfile.open(tmp_path / "t.tar", "w") as tar:
        for name, content in (("a.mp4", clip.read_bytes()), ("a.json", b'{"label": "cod"}')):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    named = open_dataset(tmp_path / "m.csv", fps=1)
    packed = open_dataset(tmp_path / "t.tar", fps=1)
    assert [s.path for s in named.samples] == ["clips/a.mp4#t=0", "clips/a.mp4#t=1"]
    assert [s.path for s in packed.samples] == ["t.tar/a.mp4#t=0", "t.tar/a.mp4#t=1"]
    assert {s.label for s in (*named.samples, *packed.samples)} == {"cod"}
    assert {s.metadata["site"] for s in named.samples} == {"north"}
    for found in (named, packed):
        shown = ImageFiles(found.root)
        for sample in found.samples:
            own = read_bytes(found.at(sample.path))
            assert read_bytes(shown.at(sample.path)) == own
            assert second_of(np.asarray(decode(own))) == sample.time


def test_a_clip_that_cannot_be_opened_is_one_sample_with_the_reason(tmp_path):
    draw(tmp_path / "a.png", 0)
    (tmp_path / "b.mp4").write_bytes(b"no video")
    found = open_dataset(tmp_path)
    assert [sample.path for sample in found.samples] == ["a.png", "b.mp4"]
    assert "cannot be opened" in found.image_bytes["b.mp4"].reason


def test_paths_of_frames_can_be_undone():
    for time in (0.0, 12.5, 3600.04, 0.333):
        assert parse_frame_path(frame_path("a b#1.mp4", time)) == ("a b#1.mp4", time)
    assert parse_frame_path("a.mp4") is None


def test_clips_at_urls(tmp_path):
    clip = draw_clip(tmp_path / "a.mp4", seconds=2)
    there = UPath("memory://clips/far")
    (there / "cod").mkdir(parents=True, exist_ok=True)
    (there / "cod" / "a.mp4").write_bytes(clip.read_bytes())
    (tmp_path / "m.csv").write_text(f"path,label\n{there / 'cod' / 'a.mp4'},cod\n")
    for source in (tmp_path / "m.csv", there):
        found = open_dataset(source, fps=1)
        assert [(sample.time, sample.label) for sample in found.samples] == [(0, "cod"), (1, "cod")]
        for sample in found.samples:
            own = read_bytes(found.at(sample.path))
            assert second_of(np.asarray(decode(own))) == sample.time
    named = open_dataset(tmp_path / "m.csv", fps=1).samples[1].path
    shown = ImageFiles(tmp_path, fetch=True).at(named)
    assert second_of(np.asarray(decode(read_bytes(shown)))) == 1
