"""Read a video frame by frame, forwards; damaged parts are left out.

PyAV brings FFmpeg with it and reads from Python's files, so that no address in a hostile file is
ever followed. Frames are upright, and pixels that are not square are widened.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from typing import Any, BinaryIO
from weakref import finalize

import numpy as np
import numpy.typing as npt

from fishembed.errors import ImageError
from fishembed.images.decoding.decode import MAX_PIXELS
from fishembed.images.decoding.formats import has_package, missing_reason
from fishembed.images.decoding.image_bytes import ImageBytes

CONTAINERS = "mov,mp4,matroska,webm,avi,mpeg,mpegts,asf"
"""None of FFmpeg's formats that are lists of other files."""

_FAR = 8.0
"""Seconds ahead from which on a seek to a key frame is shorter than decoding up to it."""

_TAIL = 5.0
_DEFAULT_RATE = 25.0
_SLACK = 0.75
"""Frames that the last one may be shown beyond its own time."""

_GAP_SECONDS, _GAP_FRAMES = 1.0, 8
"""What may lie between two frames before something in between is lost."""


@dataclass(frozen=True)
class _Shown:
    """A frame, from when on it is shown, and whether something before it could not be decoded."""

    time: float
    frame: Any
    after_damage: bool


class Clip:
    """An open video, by its file or what has its bytes, read frame by frame.

    `ImageError` is raised when it cannot be opened, has no video stream, or PyAV is not installed.
    """

    def __init__(self, video: str | ImageBytes) -> None:
        if not has_package("av"):
            raise ImageError(missing_reason("video"))
        self._video = video
        self._stack = ExitStack()
        finalize(self, self._stack.close)  # a thread that ends closes what it read last
        self._open()

    def close(self) -> None:
        """Close the file of the video."""
        self._stack.close()

    def _open(self) -> None:
        import av

        self._stack.close()
        file = self._stack.enter_context(_file(self._video))
        try:
            # One thread each: readers decode several parts of a video at the same time.
            container = av.open(
                file, mode="r", options={"format_whitelist": CONTAINERS}, io_open=_no_other_file
            )
            self._container: Any = self._stack.enter_context(container)
            self._stream: Any = container.streams.video[0]
            self._stream.codec_context.thread_count = 1
            size = self._stream.codec_context.width * self._stream.codec_context.height
        except (av.error.FFmpegError, OSError, IndexError, AttributeError, ValueError) as error:
            self._stack.close()
            raise ImageError(f"cannot be opened as a video: {_message(error)}") from error
        if size > MAX_PIXELS:
            raise ImageError(f"its frames have more than {MAX_PIXELS:,} pixels")
        self._last = -1.0
        self._start = float((self._stream.start_time or 0) * self._stream.time_base)
        self._frames = self._decoded()
        self._shown: _Shown | None = None
        self._next: _Shown | None = None
        self._is_read = False

    @property
    def tags(self) -> dict[str, str]:
        """Metadata of the file, such as `creation_time`."""
        return {**self._stream.metadata, **self._container.metadata}

    @property
    def rate(self) -> float:
        """Frames in a second, on average."""
        rate = self._stream.average_rate or self._stream.guessed_rate
        return float(rate) if rate else _DEFAULT_RATE

    def duration(self) -> float:
        """Return its length in seconds, by its header or else its last packets."""
        stream = self._stream
        if stream.duration:
            return float(stream.duration * stream.time_base)
        if not self._container.duration:
            return self._counted()
        length = self._container.duration / 1e6
        return float(min(length, self._last_packet(length) or length))

    def _last_packet(self, length: float) -> float:
        """Return when the last frame ends; 0 where the end cannot be reached."""
        last = 0.0
        with suppress(Exception):  # a file that is cut has no index to seek by
            self._seek(max(0.0, length - _TAIL))
            for packet in self._container.demux(self._stream):
                if packet.pts is not None:
                    end = packet.pts + (packet.duration or 0)
                    last = max(last, float(end * self._stream.time_base) - self._start)
        self._open()
        return last

    def _counted(self) -> float:
        """Return the length of a video whose header lacks it, by reading all of it."""
        last = max((one.time for one in self._frames), default=-1.0)
        self._open()
        return last + 1 / self.rate

    def _decoded(self) -> Iterator[_Shown]:
        """Yield the frames from here on, in the order that they are shown."""
        import av

        damaged = False
        number = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                frames = next(packets).decode()
            except (StopIteration, av.error.EOFError):
                return
            except (av.error.FFmpegError, OSError, ValueError):  # this packet is lost, not the next
                damaged = True
                number += 1
                if number > 1000:
                    return
                continue
            for frame in frames:
                number = 0
                if frame.is_corrupt:
                    damaged = True
                    continue
                yield _Shown(self._time(frame), frame, damaged)
                damaged = False

    def _time(self, frame: Any) -> float:
        if frame.time is None:  # old AVIs number their frames and no more
            self._last = max(self._last, -1 / self.rate) + 1 / self.rate
        else:
            self._last = float(frame.time) - self._start
        return self._last

    def _seek(self, time: float) -> None:
        offset = int((time + self._start) / self._stream.time_base)
        self._container.seek(offset, stream=self._stream, backward=True)

    def frame_at(self, time: float) -> npt.NDArray[np.uint8]:
        """Return the frame that is shown at a time, in seconds from the start.

        It is uint8 (height, width, 3). `ImageError` is raised when the video ends before, or is
        damaged there.
        """
        return _upright(self._reach(time).frame, self._stream.sample_aspect_ratio)

    def _reach(self, time: float) -> _Shown:
        """Go to the frame that is shown at a time."""
        half = 0.5 / self.rate
        if not self._is_ahead(time, half):
            self._go_near(time)
        if not self._is_read:
            self._is_read, self._next = True, next(self._frames, None)
        while self._next is not None and self._next.time <= time + half:
            self._shown, self._next = self._next, next(self._frames, None)
        shown, following = self._shown, self._next
        if shown is None:
            if following is None or following.time > time + 1 / self.rate:
                raise ImageError(f"nothing of it can be decoded at {time:g} s")
            return following
        if following is None and time > shown.time + _SLACK / self.rate:
            raise ImageError(f"it ends at {shown.time:.2f} s, before {time:g} s")
        if following is not None and time > shown.time + half:
            gap = following.time - shown.time
            if following.after_damage or gap > max(_GAP_SECONDS, _GAP_FRAMES / self.rate):
                raise ImageError(
                    f"it is damaged from {shown.time:.2f} to {following.time:.2f} s, at {time:g} s"
                )
        return shown

    def _is_ahead(self, time: float, half: float) -> bool:
        """Return whether decoding on from here is the shortest way to a time."""
        if self._shown is None:
            return not self._is_read and time <= _FAR
        return self._shown.time - half <= time <= self._shown.time + _FAR

    def _go_near(self, time: float) -> None:
        """Go to a key frame before a time, or to the start where there is no way but that."""
        import av

        self._shown = self._next = None
        try:
            self._seek(time)
            self._frames = self._decoded()
            self._is_read, self._next = True, next(self._frames, None)
        except (av.error.FFmpegError, OSError, ValueError):
            pass
        if self._next is None or self._next.time > time + 1 / self.rate:
            self._open()

    def small_frames(self, step: float, size: tuple[int, int]) -> Iterator[tuple[float, Any]]:
        """Yield (time, grey pixels) of frames at least `step` seconds apart."""
        at = 0.0
        half = 0.5 / self.rate
        for shown in self._frames:
            if shown.time >= at - half:
                at = max(at + step, shown.time + step / 2)
                small = shown.frame.reformat(*size, "gray", interpolation="AREA")
                yield shown.time, small.to_ndarray()


def _file(video: str | ImageBytes) -> BinaryIO:
    """Open a video's bytes; a pipe or a device is none."""
    if not isinstance(video, str):
        return io.BytesIO(video.read())
    try:
        if not stat.S_ISREG(os.stat(video).st_mode):  # noqa: PTH116 - as in `read_bytes`
            raise ImageError("not a regular file")
        return open(video, "rb")  # noqa: PTH123 - the stack closes it
    except FileNotFoundError as error:
        raise ImageError("the file is missing") from error
    except OSError as error:
        raise ImageError(f"cannot be read: {error.strerror or error}") from error


def _no_other_file(url: str, _flags: int, _options: object) -> BinaryIO:
    raise ImageError(f"it asks for another file, which is not opened: {url[:80]!r}")


def _upright(frame: Any, shape: Any) -> npt.NDArray[np.uint8]:
    """Return a frame's pixels as people see them: turned, and of square pixels."""
    if shape and shape != 1 and 0.2 < shape < 5:
        frame = frame.reformat(width=round(frame.width * shape), format="rgb24")
    pixels = frame.to_ndarray(format="rgb24")
    turns = round(getattr(frame, "rotation", 0) / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, turns)) if turns else pixels


def _message(error: Exception) -> str:
    return " ".join(str(getattr(error, "strerror", "") or error).split())[:200]
