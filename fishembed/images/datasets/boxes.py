"""Parts of images: how a detector's box becomes the image that is encoded.

A row of a box is called `photo.jpg#xywh=40,30,200,120`, as the W3C names a part of an image (Media
Fragments URI 1.0), so that paths stay unique. Its bytes are those of the cut pixels: other
margins are other images, and are encoded anew.
"""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fishembed.errors import ImageError, InputError
from fishembed.images.decoding.decode import decode_pixels
from fishembed.images.decoding.image_bytes import ImageBytes, read_bytes, stamp

Box = tuple[float, float, float, float]
"""x, y, width and height in pixels of the upright image."""

_FRAGMENT = re.compile(r"(.+)#xywh=([\d.]+),([\d.]+),([\d.]+),([\d.]+)")
_SURROUNDINGS = 1.0
_COLOUR = (255, 200, 0)
_CACHED = 4


@dataclass(frozen=True)
class BoxOptions:
    """Options of boxes: which become rows, and how much around them is cut with them.

    Attributes
    ----------
    min_confidence
        Boxes below it are left out.
    margin
        Added on each side, as a share of the box's longer side.
    square
        Whether the shorter side is widened to the longer: encoders see squares, and would cut
        the ends of a long fish off.
    whole_images
        Whether each image is a row too.
    """

    min_confidence: float = 0.2
    margin: float = 0.1
    square: bool = True
    whole_images: bool = False

    def __post_init__(self) -> None:
        if not 0 <= self.min_confidence <= 1:
            raise InputError(f"min_confidence={self.min_confidence} must lie from 0 to 1")
        if not 0 <= self.margin <= 10:
            raise InputError(f"margin={self.margin} must lie from 0 to 10: a share of the box")

    @property
    def cut(self) -> dict[str, object]:
        """How boxes are cut; stores that are joined must agree in it."""
        return {"margin": float(self.margin), "square": bool(self.square)}


DEFAULT_BOXES = BoxOptions()


@dataclass(frozen=True)
class CroppedImage:
    """A part of an image file; see `ImageBytes`.

    Attributes
    ----------
    file
        The image, or what has its bytes.
    box
        The part.
    file_state
        Size and time of the file.
    margin, square
        See `BoxOptions`.
    framed
        Whether the box is drawn, in its surroundings, for people.
    """

    file: str | ImageBytes
    box: Box
    file_state: tuple[int, int] = (-1, -1)
    margin: float = 0.0
    square: bool = False
    framed: bool = False

    @property
    def state(self) -> tuple[int, int]:
        """Return the file's size, and a number that changes with it and with the part."""
        if self.file_state[0] < 0:
            return self.file_state
        return self.file_state[0], stamp(self.file_state, self.box, self.margin, self.square)

    def read(self) -> bytes:
        """Return the part as an image file without loss."""
        pixels = _decoded(self.file, self.file_state)
        left, top, right, bottom = cut_region(
            self.box, pixels.shape[1::-1], self.margin, square=self.square
        )
        image = Image.fromarray(np.ascontiguousarray(pixels[top:bottom, left:right]))
        if self.framed:
            x, y, width, height = self.box
            edge = max(1, max(image.size) // 100)
            frame = x - left, y - top, x + width - left, y + height - top
            ImageDraw.Draw(image).rectangle(frame, outline=_COLOUR, width=edge)
        buffer = io.BytesIO()
        image.save(buffer, "PPM")
        return buffer.getvalue()


@lru_cache(_CACHED)
def _decoded(file: str | ImageBytes, state: tuple[int, int]) -> npt.NDArray[np.uint8]:  # noqa: ARG001 - the key
    """Return an image, decoded once for all its boxes, which follow one another."""
    return decode_pixels(read_bytes(file))


def cut_region(
    box: Box, size: tuple[int, int], margin: float, *, square: bool
) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of what is cut, inside the image.

    Raises
    ------
    ImageError
        When the box lies outside the image.
    """
    x, y, width, height = box
    longer = max(width, height)
    wide, high = (longer, longer) if square else (width, height)
    around = margin * longer
    left, right = x + width / 2 - wide / 2 - around, x + width / 2 + wide / 2 + around
    top, bottom = y + height / 2 - high / 2 - around, y + height / 2 + high / 2 + around
    if right <= 0 or bottom <= 0 or left >= size[0] or top >= size[1]:
        raise ImageError(f"its box {box} lies outside the image of {size[0]} × {size[1]}")
    x0, y0 = min(max(0, round(left)), size[0] - 1), min(max(0, round(top)), size[1] - 1)
    x1, y1 = min(size[0], max(round(right), x0 + 1)), min(size[1], max(round(bottom), y0 + 1))
    return x0, y0, x1, y1


def box_path(path: str, box: Box) -> str:
    """Return the path of a row that is a part of an image."""
    return f"{path}#xywh={','.join(f'{side:.6g}' for side in box)}"


def parse_box_path(path: str) -> tuple[str, Box] | None:
    """Undo `box_path`; None for the path of a whole image."""
    match = _FRAGMENT.fullmatch(path)
    if match is None:
        return None
    x, y, width, height = (float(match[at]) for at in range(2, 6))
    return match[1], (x, y, width, height)


def in_surroundings(file: str | ImageBytes, box: Box) -> CroppedImage:
    """Return a part with its surroundings and the box drawn, for people."""
    return CroppedImage(file, box, margin=_SURROUNDINGS, square=True, framed=True)
