"""Frames of videos as samples: so many a second, or those that differ from the one before.

A row of a frame is called `clip.mp4#t=12.5`, as the W3C names a moment of a video (Media Fragments
URI 1.0). Its identity is the video's digest and the time, so that a clip that was moved is read
once, for its digest, and not decoded.
"""

from __future__ import annotations

import hashlib
import math
import os
import re
import threading
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fishembed._base.text import counted
from fishembed.errors import ImageError, InputError
from fishembed.images.datasets.samples import Dataset, Sample
from fishembed.images.decoding.formats import VIDEO_SUFFIXES
from fishembed.images.decoding.image_bytes import ImageBytes, UnreadableImage, stamp
from fishembed.images.decoding.video_clip import Clip

_FRAGMENT = re.compile(r"(.+)#t=(\d+(?:\.\d+)?)", re.DOTALL)
_CHUNK = 1 << 20
_open_clips = threading.local()

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


@dataclass(frozen=True)
class VideoFrame:
    """The frame of a video at a time; see `ImageBytes`.

    Attributes
    ----------
    clip
        The video's file, or what has its bytes.
    time
        Seconds from its start.
    clip_state
        Size and time of the file.
    chosen
        How the times of the clip were chosen: other rates are other rows.
    """

    clip: str | ImageBytes
    time: float
    clip_state: tuple[int, int] = (-1, -1)
    chosen: str = field(default="", compare=False)

    @property
    def state(self) -> tuple[int, int]:
        """Return the clip's size, and a number that changes with it, the time and the choice."""
        if self.clip_state[0] < 0:
            return self.clip_state
        return self.clip_state[0], stamp(self.clip_state, self.time, self.chosen)

    @property
    def together(self) -> object:
        """Key of the frames that are read together: those of its clip, decoded in a row."""
        return self.clip

    def digest(self) -> str:
        """Return the identity of the frame: of the video's bytes and the time."""
        whole = _clip_digest(self.clip, self.clip_state)
        return hashlib.sha256(f"{whole}#t={time_text(self.time)}".encode()).hexdigest()

    def read(self) -> bytes:
        """Return the frame as an image file without loss.

        Raises
        ------
        ImageError
            When the video cannot be opened, ends before, or is damaged there.
        """
        pixels = _opened(self.clip, self.clip_state).frame_at(self.time)
        height, width = pixels.shape[:2]
        return b"P6\n%d %d\n255\n" % (width, height) + pixels.tobytes()


def frame_path(clip: str, time: float) -> str:
    """Return the path of a row that is a frame of a video."""
    return f"{clip}#t={time_text(time)}"


def time_text(time: float) -> str:
    """Return a time in seconds, to the millisecond."""
    return f"{time:.3f}".rstrip("0").rstrip(".")


def parse_frame_path(path: str) -> tuple[str, float] | None:
    """Undo `frame_path`; None for the path of an image."""
    match = _FRAGMENT.fullmatch(path)
    return None if match is None else (match[1], float(match[2]))


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
        Of the rows of the store before: the frames of an unchanged clip are not chosen again.

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
    videos = [sample.path for sample in dataset.samples if is_video(sample.path)]
    if not videos:
        return dataset
    before = _frames_by_clip(states or {})
    with ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        found = pool.map(lambda path: _frames(dataset, path, fps, before.get(path, {})), videos)
        by_path = dict(zip(videos, found, strict=True))
    samples: list[Sample] = []
    image_bytes = {p: image for p, image in dataset.image_bytes.items() if p not in by_path}
    for sample in dataset.samples:
        if sample.path not in by_path:
            samples.append(sample)
        for frame in by_path.get(sample.path, ()):
            one = sample
            if isinstance(frame, VideoFrame):
                path, group = frame_path(sample.path, frame.time), sample.group or sample.path
                one = replace(sample, path=path, group=group, time=frame.time)
            samples.append(one)
            image_bytes[one.path] = frame
    n = sum(isinstance(image, VideoFrame) for image in image_bytes.values())
    rate = "the frames that differ" if fps is None else f"{fps:g} a second"
    note = f"{counted(n, 'frame')} of {counted(len(videos), 'video')} ({rate})"
    return replace(
        dataset, samples=tuple(samples), image_bytes=image_bytes, notes=(*dataset.notes, note)
    )


def is_video(path: str) -> bool:
    """Return whether a file is a video, by its name."""
    return path.rstrip().lower().endswith(tuple(VIDEO_SUFFIXES))


def _with_named_frames(dataset: Dataset) -> Dataset:
    """Read the samples that a table names like clip.mp4#t=12.5, as exports do, as that frame."""
    image_bytes = dict(dataset.image_bytes)
    samples = list(dataset.samples)
    for at, sample in enumerate(samples):
        moment = parse_frame_path(sample.path) if "#t=" in sample.path else None
        if moment is not None and is_video(moment[0]) and sample.path not in image_bytes:
            path, time = moment
            image_bytes[sample.path] = VideoFrame(_clip(dataset, path), time, dataset.state(path))
            samples[at] = replace(sample, time=time, group=sample.group or path)
    if len(image_bytes) == len(dataset.image_bytes):
        return dataset
    return replace(dataset, samples=tuple(samples), image_bytes=image_bytes)


def _clip(dataset: Dataset, path: str) -> str | ImageBytes:
    clip = dataset.at(path)
    return str(clip) if isinstance(clip, Path) else clip


def files_and_frames(files: Sequence[Path]) -> dict[str, Path | ImageBytes]:
    """Return images by their paths, with the frames that differ in the place of videos."""
    samples = tuple(Sample(str(file)) for file in files)
    found = with_frames(Dataset(Path.cwd(), "", "", samples))
    return {sample.path: found.at(sample.path) for sample in found.samples}


def _frames(
    dataset: Dataset, path: str, fps: float | None, before: Mapping[str, tuple[int, int]]
) -> Sequence[ImageBytes]:
    """Return the frames of a video, or the reason why there are none."""
    clip, state = _clip(dataset, path), dataset.state(path)
    if isinstance(clip, UnreadableImage):
        return [clip]
    chosen = _DIFFERING if fps is None else f"{fps:g}"
    times = sorted(parsed[1] for one in before if (parsed := parse_frame_path(one)))
    frames = [VideoFrame(clip, time, state, chosen) for time in times]
    if frames and all(before.get(frame_path(path, one.time)) == one.state for one in frames):
        return frames
    try:
        with closing(Clip(clip)) as opened:
            times = [float(time_text(time)) for time in _times(opened, fps)]
    except ImageError as error:
        return [UnreadableImage(str(error), state)]
    if not times:
        return [UnreadableImage("no frame of it can be decoded", state)]
    return [VideoFrame(clip, time, state, chosen) for time in dict.fromkeys(times)]


def _times(clip: Clip, fps: float | None) -> Iterator[float]:
    if fps is not None:
        n = max(1, math.ceil(clip.duration() * fps - 0.5 * fps / clip.rate))
        yield from (number / fps for number in range(n))
        return
    last = None
    for time, pixels in clip.small_frames(_STEP, _SIZE):
        grey = pixels.astype(np.int16)
        if last is None or _differs(grey, last):
            last = grey
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


def _opened(clip: str | ImageBytes, state: tuple[int, int]) -> Clip:
    """Open a clip, or return it where this thread read it last: frames come in order."""
    last: tuple[object, Clip] | None = getattr(_open_clips, "last", None)
    if last is not None and last[0] == (clip, state):
        return last[1]
    if last is not None:
        last[1].close()
        _open_clips.last = None
    found = Clip(clip)
    _open_clips.last = (clip, state), found
    return found


@lru_cache(8)
def _clip_digest(clip: str | ImageBytes, state: tuple[int, int]) -> str:  # noqa: ARG001 - the key
    if not isinstance(clip, str):
        return hashlib.sha256(clip.read()).hexdigest()
    try:
        with open(clip, "rb") as file:  # noqa: PTH123 - as in `Clip`
            digest = hashlib.sha256()
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
            return digest.hexdigest()
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from error
