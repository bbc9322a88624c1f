"""Frames are found at their times, in any order; what is damaged costs itself alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from small_clips import SIZE, draw_clip, second_of

from fishembed.errors import ImageError
from fishembed.images.decoding.video_clip import Clip

CONTAINERS = ("mp4", "mov", "avi", "mkv")


def seconds_shown(path: Path, times: range) -> dict[int, int | str]:
    clip = Clip(str(path))

    def shown(time: int) -> int | str:
        try:
            return second_of(clip.frame_at(time))
        except ImageError as error:
            return str(error)

    return {time: shown(time) for time in times}


@pytest.mark.parametrize("kind", CONTAINERS)
def test_each_second_is_found_forwards_and_backwards(tmp_path, kind):
    path = draw_clip(tmp_path / f"c.{kind}")
    assert seconds_shown(path, range(10)) == {n: n for n in range(10)}
    assert seconds_shown(path, range(9, -1, -1)) == {n: n for n in range(10)}
    assert Clip(str(path)).duration() == pytest.approx(10, abs=0.05)
    assert Clip(str(path)).frame_at(0).shape == (SIZE[1], SIZE[0], 3)


@pytest.mark.parametrize("kind", CONTAINERS)
def test_a_cut_clip_loses_its_tail_alone(tmp_path, kind):
    options = {"movflags": "faststart"} if kind in {"mp4", "mov"} else {}
    path = draw_clip(tmp_path / f"c.{kind}", **options)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 6 // 10])
    found = seconds_shown(path, range(10))
    right = [time for time, shown in found.items() if shown == time]
    assert right == list(range(len(right)))
    assert len(right) >= 4
    lost = [shown for time, shown in found.items() if time not in right]
    assert lost
    assert all("it ends at" in str(shown) for shown in lost)


def test_damage_in_the_middle_loses_what_lies_there(tmp_path):
    path = draw_clip(tmp_path / "c.mkv")
    data = bytearray(path.read_bytes())
    data[len(data) * 4 // 10 : len(data) * 45 // 100] = bytes(
        len(data) * 45 // 100 - len(data) * 4 // 10
    )
    path.write_bytes(data)
    found = seconds_shown(path, range(10))
    right = {time for time, shown in found.items() if shown == time}
    assert {0, 1, 2, 8, 9} <= right
    assert all("damaged" in str(found[time]) for time in set(range(10)) - right)


def test_bytes_that_are_no_video_are_a_reason(tmp_path):
    path = tmp_path / "c.mp4"
    for content in (b"", b"\0" * 100, b"#EXTM3U\nfile:///etc/passwd\n", b"ffconcat version 1.0\n"):
        path.write_bytes(content)
        with pytest.raises(ImageError, match=r"video|image"):
            Clip(str(path))
    whole = draw_clip(tmp_path / "whole.mp4").read_bytes()
    path.write_bytes(whole[: len(whole) // 2])  # its table of contents stood at the end
    with pytest.raises(ImageError, match="cannot be opened as a video"):
        Clip(str(path))
    with pytest.raises(ImageError, match="missing"):
        Clip(str(tmp_path / "no.mp4"))


def test_random_damage_never_ends_the_program(tmp_path):
    data = draw_clip(tmp_path / "whole.mkv", seconds=3).read_bytes()
    rng = np.random.default_rng(0)
    for number in range(40):
        broken = bytearray(data)
        for at in rng.integers(0, len(data), 30):
            broken[at] = rng.integers(256)
        path = tmp_path / f"{number}.mkv"
        path.write_bytes(broken)
        try:
            seconds_shown(path, range(3))
        except ImageError:
            continue


def test_a_phone_held_upright_is_turned(tmp_path):
    path = draw_clip(tmp_path / "c.mp4", seconds=1)
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 4 + 40
    quarter = (0, 0x10000, 0, -0x10000 & 0xFFFFFFFF, 0, 0, SIZE[1] << 16, 0, 0x40000000)
    data[at : at + 36] = b"".join(number.to_bytes(4, "big") for number in quarter)
    before = Clip(str(path)).frame_at(0)
    path.write_bytes(data)
    turned = Clip(str(path)).frame_at(0)
    assert turned.shape == (SIZE[0], SIZE[1], 3)
    assert np.array_equal(turned, np.rot90(before, -1))
