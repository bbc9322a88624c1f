"""Videos go through extract: rows, groups, times; nothing twice; a cut costs the tail alone."""

from __future__ import annotations

import numpy as np
import pytest
from fake_encoder import FakeEncoder
from small_clips import draw_clip

from fishembed import FeatureStore
from fishembed.extraction import extract


def test_twenty_clips_of_ten_seconds(workspace):
    kinds = ("mp4", "mov", "avi", "mkv")
    for number in range(20):
        draw_clip(workspace / f"clips/{'ab'[number % 2]}/{number:02d}.{kinds[number % 4]}", number)
    result = extract("clips", "c.h5", encoder=FakeEncoder(), fps=1)
    assert (result.rows, result.frames, result.videos, result.skipped) == (200, 200, 20, 0)
    assert result.sentence.startswith("200 frames of 20 videos of 2 classes (a 100, b 100)")
    with FeatureStore.open("c.h5") as store:
        groups = np.array(store.groups)
        assert len(set(groups)) == 20
        for group in set(groups):
            assert store.times[groups == group].tolist() == list(range(10))
        named = zip(store.paths, groups, store.times, strict=True)
        assert all(path == f"{group}#t={time:g}" for path, group, time in named)
        assert len(set(store.digests)) == 200


@pytest.mark.parametrize("fps", [1, None])
def test_what_is_there_is_not_encoded_or_decoded_again(workspace, fps, monkeypatch):
    clip = draw_clip(workspace / "clips/a.mp4", seconds=4)
    encoder = FakeEncoder()
    extract("clips", "c.h5", encoder=encoder, fps=fps)
    assert encoder.seen == 4

    def refuse(*_: object) -> None:
        raise AssertionError("decoded again")

    monkeypatch.setattr("fishembed.images.decoding.video_clip.Clip.frame_at", refuse)
    with monkeypatch.context() as patched:
        patched.setattr("fishembed.images.decoding.video_clip.Clip.small_frames", refuse)
        again = extract("clips", "c.h5", encoder=encoder, fps=fps)
    assert (again.encoded, again.wrote, again.rows) == (0, False, 4)
    clip.rename(workspace / "clips/moved.mp4")
    moved = extract("clips", workspace / "c.h5", encoder=encoder, fps=fps)
    assert (moved.encoded, moved.removed, moved.rows) == (0, 0, 4)
    assert encoder.seen == 4


def test_other_rates_share_what_was_encoded(workspace):
    draw_clip(workspace / "clips/a.mp4", seconds=4)
    encoder = FakeEncoder()
    extract("clips", "c.h5", encoder=encoder, fps=1)
    result = extract("clips", "c.h5", encoder=encoder, fps=2, prune=True)
    assert (result.rows, encoder.seen) == (8, 8)
    result = extract("clips", "c.h5", encoder=encoder, fps=1, prune=True)
    assert (result.rows, result.removed, encoder.seen) == (4, 4, 8)


def test_a_cut_clip_keeps_the_rows_before_the_cut(workspace):
    path = draw_clip(workspace / "clips/a.mp4", movflags="faststart")
    draw_clip(workspace / "clips/b.mp4", 1)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    result = extract("clips", "c.h5", encoder=FakeEncoder(), fps=1)
    assert result.rows + result.skipped == 20
    assert 12 <= result.rows < 20
    assert all(name.startswith("a.mp4#t=") for name, _ in result.skipped_files)
    assert all("it ends at" in reason for _, reason in result.skipped_files)
    with FeatureStore.open("c.h5") as store:
        times = store.times[[group == "a.mp4" for group in store.groups]]
        assert times.tolist() == list(range(len(times)))
