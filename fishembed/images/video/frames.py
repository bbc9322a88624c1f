"""Frames of a dataset's videos that become samples: so many a second, or those that differ."""

from __future__ import annotations

import math
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted
from fishembed.errors import ImageError, InputError
from fishembed.images.datasets.sample import Sample
from fishembed.images.decoding.formats import VIDEO_SUFFIXES
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage
from fishembed.images.decoding.video_clip import Clip
from fishembed.images.video.video_frame import VideoFrame, frame_path, parse_frame_path, time_text

if TYPE_CHECKING:
    from fishembed.images.datasets.open_dataset import Dataset

_ENDINGS = tuple(VIDEO_SUFFIXES)

MOST_FPS = 240.0
_STEP = 0.5
"""Seconds between the frames that are compared."""

_SIZE = 64, 36
_CHANGED = 24
"""Of 255: what a small pixel must change by, beyond what the whole image does, to count."""

_SHARE = 0.01
"""Of the image that must have changed."""

_DIFFERING = "those that differ"

States = Mapping[str, tuple[str, int, int]]
"""Digest, size and time of the rows of a store by their path."""


def is_video(path: str) -> bool:
    """Return whether a file is a video, by its name."""
    return path.rstrip().lower().endswith(_ENDINGS)


def with_frames(
    dataset: Dataset, fps: float | None = None, states: States | None = None
) -> Dataset:
    """Put the frames of its videos in the place of a dataset's videos.

    Parameters
    ----------
    dataset
        With samples that are videos.
    fps
        Frames for each second; when left out, twice a second those that differ from the one before.
    states
        Of the rows of the store before: a clip that is as it was is not looked through again.

    Returns
    -------
    Dataset
        The same where there is no video. A video that cannot be opened stays a sample, which cannot
        be read; each frame is grouped with its video unless its sample has a group.

    Raises
    ------
    InputError
        When fps is not above 0, or above 240.
    """
    if fps is not None and not 0 < fps <= MOST_FPS:
        raise InputError(f"fps={fps:g} must be above 0, and at most {MOST_FPS:g}")
    dataset = _with_named_frames(dataset)
    videos = [sample for sample in dataset.samples if is_video(sample.path)]
    if not videos:
        return dataset
    before = _frames_by_clip(states or {})
    chosen = _DIFFERING if fps is None else f"{fps:g}"
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = pool.map(
            lambda one: _frames(dataset, one, fps, chosen, before.get(one.path, {})), videos
        )
        by_path = dict(zip((one.path for one in videos), found, strict=True))
    samples: list[Sample] = []
    image_bytes: dict[str, ImageBytes] = {
        path: image for path, image in dataset.image_bytes.items() if path not in by_path
    }
    for sample in dataset.samples:
        frames = by_path.get(sample.path)
        if frames is None:
            samples.append(sample)
            continue
        for frame in frames:
            one = _sample_of(sample, frame)
            samples.append(one)
            image_bytes[one.path] = frame
    n = sum(isinstance(image, VideoFrame) for image in image_bytes.values())
    rate = "the frames that differ" if fps is None else f"{fps:g} a second"
    note = f"{counted(n, 'frame')} of {counted(len(videos), 'video')} ({rate})"
    return replace(
        dataset, samples=tuple(samples), image_bytes=image_bytes, notes=(*dataset.notes, note)
    )


def _with_named_frames(dataset: Dataset) -> Dataset:
    """Read the samples that a table calls clip.mp4#t=12.5, as an export does, as that frame."""
    if not any("#t=" in sample.path for sample in dataset.samples):
        return dataset
    image_bytes = dict(dataset.image_bytes)
    samples = []
    for sample in dataset.samples:
        moment = parse_frame_path(sample.path) if "#t=" in sample.path else None
        if moment is not None and is_video(moment[0]) and sample.path not in image_bytes:
            clip = dataset.at(moment[0])
            source = str(clip) if isinstance(clip, Path) else clip
            image_bytes[sample.path] = VideoFrame(source, moment[1], dataset.state(moment[0]))
            group = sample.group or moment[0]
            samples.append(replace(sample, time=moment[1], group=group))
        else:
            samples.append(sample)
    if len(image_bytes) == len(dataset.image_bytes):
        return dataset
    return replace(dataset, samples=tuple(samples), image_bytes=image_bytes)


def files_and_frames(files: Sequence[Path]) -> dict[str, Path | ImageBytes]:
    """Return images by their paths, with the frames that differ in the place of videos."""
    from fishembed.images.datasets.open_dataset import Dataset

    samples = tuple(Sample(str(file)) for file in files)
    found = with_frames(Dataset(Path.cwd(), "", "", samples))
    return {sample.path: found.at(sample.path) for sample in found.samples}


def _sample_of(video: Sample, frame: ImageBytes) -> Sample:
    if not isinstance(frame, VideoFrame):
        return video
    path = frame_path(video.path, frame.time)
    return replace(video, path=path, group=video.group or video.path, time=frame.time)


def _frames(
    dataset: Dataset,
    video: Sample,
    fps: float | None,
    chosen: str,
    before: Mapping[str, tuple[int, int]],
) -> Sequence[ImageBytes]:
    """Return the frames of a video, or the reason why there are none."""
    clip = dataset.at(video.path)
    source = str(clip) if isinstance(clip, Path) else clip
    state = dataset.state(video.path)
    if isinstance(source, UnreadableImage):
        return [source]
    times = [parsed[1] for path in before if (parsed := parse_frame_path(path))]
    frames = [VideoFrame(source, time, state, chosen) for time in sorted(times)]
    if frames and all(before.get(frame_path(video.path, f.time)) == f.state for f in frames):
        return frames
    try:
        opened = Clip(source)
    except ImageError as error:
        return [UnreadableImage(str(error), state)]
    try:
        times = [float(time_text(time)) for time in _times(opened, fps)]
    finally:
        opened.close()
    if not times:
        return [UnreadableImage("no frame of it can be decoded", state)]
    return [VideoFrame(source, time, state, chosen) for time in dict.fromkeys(times)]


def _times(clip: Clip, fps: float | None) -> Iterator[float]:
    if fps is not None:
        n = max(1, math.ceil(clip.duration() * fps - 0.5 * fps / clip.rate))
        yield from (number / fps for number in range(n))
        return
    kept = None
    for time, pixels in clip.small_frames(_STEP, _SIZE):
        grey = pixels.astype(np.int16)
        if kept is None or _differs(grey, kept):
            kept = grey
            yield time


def _differs(a: npt.NDArray[np.int16], b: npt.NDArray[np.int16]) -> bool:
    """Return whether something moved, appeared or left between two small grey frames."""
    change = a - b
    light = np.median(change)
    return bool((np.abs(change - light) > _CHANGED).mean() > _SHARE)


def _frames_by_clip(states: States) -> dict[str, dict[str, tuple[int, int]]]:
    """Return the frames of each clip among a store's rows, with their states."""
    by_clip: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    for path, (_, size, changed) in states.items():
        if "#t=" in path and (parsed := parse_frame_path(path)) is not None:
            by_clip[parsed[0]][path] = size, changed
    return by_clip
