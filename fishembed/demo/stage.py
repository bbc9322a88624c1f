"""Where a fish is in the picture: pixels to fish coordinates and back."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from fishembed.demo.fields import Field

Window = tuple[slice, slice]
"""Rows and columns of a rectangle of pixels."""

MIDDLE = 54.0
"""The place on the axis that `Pose.x` and `Pose.y` speak of, and that a fish turns about."""


class Curve:
    """A function of the axis kept as a table, quick to read for whole arrays."""

    SAMPLES = 2048

    def __init__(self, x: NDArray[np.floating], values: NDArray[np.floating]) -> None:
        grid = np.linspace(x[0], x[-1], self.SAMPLES)
        self._start = float(x[0])
        self._step = float((self.SAMPLES - 1) / (x[-1] - x[0]))
        self._values = np.interp(grid, x, values).astype(np.float32)

    def __call__(self, x: Field) -> Field:
        """Read the function at `x`; beyond its ends the last value holds."""
        index = ((x - self._start) * self._step).astype(np.int32)
        return np.asarray(self._values[np.clip(index, 0, self.SAMPLES - 1)])


@dataclass(frozen=True)
class Pose:
    """How one fish lies or swims in the picture.

    Attributes
    ----------
    x, y
        Place of its middle, as shares of the picture's width and height.
    length
        Standard length as a share of the picture's width.
    angle
        Turn in degrees, positive with the clock.
    faces_left
        Whether the head is on the left.
    squeeze
        Foreshortening along the body, 1 for a fish seen squarely from the side.
    bend, phase, wave
        Height in percent of the length, phase in radians, and length in percent of the wave along
        the body.
    """

    x: float
    y: float
    length: float
    angle: float
    faces_left: bool
    squeeze: float = 1.0
    bend: float = 0.0
    phase: float = 0.0
    wave: float = 115.0


def _wave(pose: Pose) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return stations along the axis and how far the bent axis lies off the straight one."""
    x = np.linspace(-40.0, 180.0, 881)
    swing = 0.25 + 0.75 * np.clip(x / 100.0, 0.0, 1.4) ** 1.6
    return x, pose.bend * swing * np.sin(2.0 * np.pi * x / pose.wave + pose.phase)


def _swing(pose: Pose, x: float) -> tuple[float, float]:
    """Return offset of the bent axis at one place, and a bound on the stretch across it."""
    swing = 0.25 + 0.75 * min(max(x / 100.0, 0.0), 1.4) ** 1.6
    offset = pose.bend * swing * math.sin(2.0 * math.pi * x / pose.wave + pose.phase)
    return offset, math.hypot(1.0, abs(pose.bend) * swing * 2.0 * math.pi / pose.wave)


def _within(value: float, low: int, high: int) -> int:
    return min(max(int(value), low), high)


class Stage:
    """The pixels around one fish, in fish coordinates (percent of its length, y upwards).

    Parameters
    ----------
    pose
        Where the fish is.
    shape
        Rows and columns of the picture.
    box
        Left, right, bottom and top of everything the fish may cover, in fish coordinates.
    """

    def __init__(
        self, pose: Pose, shape: tuple[int, int], box: tuple[float, float, float, float]
    ) -> None:
        self.pose = pose
        self.scale = pose.length * shape[1] / 100.0
        self._centre = (pose.x * shape[1], pose.y * shape[0])
        self._turn = math.radians(pose.angle)
        self._stretch = (-1.0 if not pose.faces_left else 1.0) * pose.squeeze
        x, offset = _wave(pose)
        self._bend = Curve(x, offset)
        slope = np.gradient(offset, x)
        self._thin = Curve(x, np.sqrt(1.0 + slope * slope))
        self.window = self._bounds(box, (0, shape[0], 0, shape[1]))
        self.x, self.y = self._fish_coordinates()

    def _fish_coordinates(self) -> tuple[Field, Field]:
        """Return x and y of every pixel of the window."""
        rows, columns = self.window
        down = np.arange(rows.start, rows.stop, dtype=np.float32)[:, None] + 0.5
        across = np.arange(columns.start, columns.stop, dtype=np.float32)[None, :] + 0.5
        down = down - np.float32(self._centre[1])
        across = across - np.float32(self._centre[0])
        cosine = np.float32(math.cos(self._turn) / self.scale)
        sine = np.float32(math.sin(self._turn) / self.scale)
        x = (across * cosine + down * sine) * np.float32(1.0 / self._stretch) + MIDDLE
        y = across * sine - down * cosine
        return x, (y - self._bend(x)) * (1.0 / self._thin(x))

    def _pixel(self, x: float, y: float) -> tuple[float, float]:
        """Return column and row in the picture of a place off the straight axis."""
        along = (x - MIDDLE) * self._stretch * self.scale
        down = -y * self.scale
        cosine, sine = math.cos(self._turn), math.sin(self._turn)
        return (
            self._centre[0] + along * cosine - down * sine,
            self._centre[1] + along * sine + down * cosine,
        )

    def _bounds(
        self, box: tuple[float, float, float, float], limits: tuple[int, int, int, int]
    ) -> Window:
        """Return the smallest window within `limits` that holds a box of fish coordinates."""
        left, right, bottom, top = box
        rows, columns = [], []
        for step in range(7):
            x = left + (right - left) * step / 6.0
            offset, thin = _swing(self.pose, x)
            for y in (bottom, top):
                column, row = self._pixel(x, y * thin + offset)
                columns.append(column)
                rows.append(row)
        first_row, last_row, first_column, last_column = limits
        return (
            slice(
                _within(min(rows) - 1.5, first_row, last_row),
                _within(max(rows) + 2.5, first_row, last_row),
            ),
            slice(
                _within(min(columns) - 1.5, first_column, last_column),
                _within(max(columns) + 2.5, first_column, last_column),
            ),
        )

    def part(self, left: float, right: float, bottom: float, top: float) -> Window:
        """Return the window, relative to this stage, around a box of fish coordinates."""
        rows, columns = self.window
        limits = (rows.start, rows.stop, columns.start, columns.stop)
        inner_rows, inner_columns = self._bounds((left, right, bottom, top), limits)
        return (
            slice(inner_rows.start - rows.start, inner_rows.stop - rows.start),
            slice(inner_columns.start - columns.start, inner_columns.stop - columns.start),
        )


class Layer:
    """Colour, multiplied by cover, over the window of a stage; painted from back to front."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.colour = np.zeros((3, *stage.x.shape), dtype=np.float32)
        self.cover = np.zeros(stage.x.shape, dtype=np.float32)

    def paint(self, window: Window, colour: NDArray[Any], cover: Field) -> None:
        """Lay `colour` (3,) or (3, rows, columns) over a window, as opaque as `cover` says."""
        rows, columns = window
        for plane, paint in zip(self.colour, colour, strict=True):
            below = plane[rows, columns]
            below += (paint - below) * cover
        under = self.cover[rows, columns]
        under += (1.0 - under) * cover
