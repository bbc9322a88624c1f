"""One frame of a video as an image of a dataset.

A row of a frame is called `clip.mp4#t=12.5`, as the W3C names a moment of a video (Media Fragments
URI 1.0). Its identity is the video's digest and the time, so that a clip that was moved is read
once, for its digest, and not decoded.
"""

from __future__ import annotations

import hashlib
import re
import threading
from dataclasses import dataclass, field
from functools import lru_cache

from fishembed.errors import ImageError
from fishembed.images.decoding.image_bytes import ImageBytes, stamp
from fishembed.images.decoding.video_clip import Clip

_FRAGMENT = re.compile(r"(.+)#t=(\d+(?:\.\d+)?)", re.DOTALL)
_CHUNK = 1 << 20
_open_clips = threading.local()


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
        """What is read with it: the frames of its clip, which are decoded in a row."""
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


def _opened(clip: str | ImageBytes, state: tuple[int, int]) -> Clip:
    """Return the clip that this thread read last, where it is this one: frames come in order."""
    kept: tuple[object, Clip] | None = getattr(_open_clips, "kept", None)
    if kept is not None and kept[0] == (clip, state):
        return kept[1]
    if kept is not None:
        kept[1].close()
        _open_clips.kept = None
    found = Clip(clip)
    _open_clips.kept = (clip, state), found
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
