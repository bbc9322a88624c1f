"""From the bytes of an image file to an upright RGB image.

How each kind of image is decoded:

=======================  =========================================================
orientation in EXIF      applied, so that images are upright
palette, grey, 1 bit     their colours as RGB
alpha, any kind          laid over white; what was hidden stays hidden
CMYK, YCbCr, LAB, HSV    converted by Pillow; embedded colour profiles are not applied
16-bit grey              value / 257; where the brightest pixel is below 16,384 (10, 12 or
                         14 bits in 16, dim images) the brightest becomes 255, black stays 0
32-bit and float grey    0 to 1 onto 8 bits where all values lie there, else the
                         image's own range
animations, many pages   the first frame
HEIC, AVIF               decoded whole (pillow-heif, Pillow), 10 and 12 bits scaled to 8
camera RAW               the preview in it where its shorter side has 640 pixels or more (or the
                         image itself has fewer), else developed with the camera's white balance
=======================  =========================================================
"""

from __future__ import annotations

import io
import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import BinaryIO

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, UnidentifiedImageError

from fishembed.errors import ImageError
from fishembed.images.decoding.decode_limits import bytes_needed, count_scans, decode_memory
from fishembed.images.decoding.formats import HEIC_BRANDS, has_package, missing_reason, what_it_is
from fishembed.images.decoding.image_bytes import ImageBytes, read_bytes
from fishembed.images.decoding.raw_photo import is_raw, raw_image

MAX_PIXELS = 178_956_970
"""Largest image that is decoded by default; Pillow's own limit."""

_DEEP_GREY = ("I;16", "I;16L", "I;16B", "I;16N")
_WIDE_GREY = ("I", "F")
_ALPHA = ("RGBA", "LA", "PA", "La", "RGBa")
_DIM = 1 << 14
"""Brightest value of 16 bits below which an image is dim, or of fewer bits."""

_START = 1 << 12
"""First bytes of a file, which identify its format."""

_STRIP = 1 << 18
"""Pixels that are converted at once."""

_FORMATS = (
    *("JPEG", "PNG", "WEBP", "BMP", "DIB", "GIF", "TIFF"),
    *("JPEG2000", "PPM", "TGA", "QOI", "PCX"),
)
"""None of them starts another program, as EPS would."""


class _ScaledByContent(threading.local):
    """Whether this thread has decoded an image whose own range became black and white."""

    here = False


scaled_by_content = _ScaledByContent()
"""Set by decoding; clear it before."""

AtLeast = Callable[[tuple[int, int]], tuple[int, int]]
"""From the size of a file's image to the (width, height) that suffices."""


def decode(
    data: bytes, *, max_pixels: int = MAX_PIXELS, at_least: AtLeast | None = None
) -> Image.Image:
    """Decode the bytes of an image file to an upright one in mode RGB; see `decode_pixels`."""
    return Image.fromarray(decode_pixels(data, max_pixels=max_pixels, at_least=at_least))


def decode_pixels(
    data: bytes, *, max_pixels: int = MAX_PIXELS, at_least: AtLeast | None = None
) -> npt.NDArray[np.uint8]:
    """Decode the bytes of an image file.

    Parameters
    ----------
    data
        The whole file: JPEG, PNG, WebP, BMP, GIF or TIFF, by its content.
    max_pixels
        Width × height above which nothing is decoded; it bounds the memory too, see
        `fishembed.images.decoding.decode_limits`.
    at_least
        From the size of the file's image to the (width, height) that suffices. A JPEG is
        then decoded at 1/2, 1/4 or 1/8 of its size, the smallest that is no smaller than
        that; other formats are decoded whole.

    Returns
    -------
    uint8 (height, width, 3)
        Upright, by the table of the module.

    Raises
    ------
    ImageError
        With a reason of one line, whatever is wrong with the file.
    """
    if not data:
        raise ImageError("the file is empty")
    try:
        return _decode(data, max_pixels, at_least)
    except ImageError:
        raise
    except Image.DecompressionBombError as error:
        raise ImageError(f"above the limit of {max_pixels:,} pixels: {error}") from error
    except UnidentifiedImageError as error:
        kind = what_it_is(data)
        raise ImageError(f"not an image in a known format{f': {kind}' if kind else ''}") from error
    except Exception as error:  # Pillow's readers raise anything on broken bytes
        raise ImageError(f"cannot be decoded: {_one_line(error)}") from error


@contextmanager
def quiet_decoding() -> Iterator[None]:
    """Silence Pillow's own checks while many images are decoded, from any number of threads.

    Pillow warns about oddities in metadata and refuses large images before `max_pixels`
    is asked; both settings are global, so they are changed once around a whole run and not
    by each call. Of several runs at the same time the last to end changes them back.
    """
    with _Quiet.lock:
        _Quiet.runs += 1
        if _Quiet.runs == 1:
            _Quiet.stack.callback(setattr, Image, "MAX_IMAGE_PIXELS", Image.MAX_IMAGE_PIXELS)
            Image.MAX_IMAGE_PIXELS = None
            _Quiet.stack.enter_context(warnings.catch_warnings())
            warnings.simplefilter("ignore")
    try:
        yield
    finally:
        with _Quiet.lock:
            _Quiet.runs -= 1
            if not _Quiet.runs:
                _Quiet.stack.close()


class _Quiet:
    """The runs that silence Pillow, and the settings that the last of them restores."""

    lock = threading.Lock()
    runs = 0
    stack = ExitStack()


def _decode(data: bytes, max_pixels: int, at_least: AtLeast | None) -> npt.NDArray[np.uint8]:
    scans = count_scans(data) if data.startswith(b"\xff\xd8") else 1
    image = raw_image(data, max_pixels) if is_raw(data) else open_image(io.BytesIO(data), data)
    width, height = image.size
    if width * height > max_pixels:
        raise ImageError(
            f"{width} × {height} is above the limit of {max_pixels:,} pixels (--max-pixels)"
        )
    if width < 1 or height < 1:
        raise ImageError(f"{width} × {height} has no pixels")
    whole = bytes_needed(image, scans) if scans > 1 else 0
    if at_least is not None:
        image.draft(None, at_least(image.size))  # scales inside the JPEG's own transform
    with decode_memory.reserved(max(whole, bytes_needed(image)), max_pixels):
        image.load()
        pixels = upright(_rgb_pixels(image), image_orientation(image))
        image.close()
        return pixels


def image_size(file: str | os.PathLike[str] | ImageBytes) -> tuple[int, int]:
    """Return the (width, height) of the upright image, from its header where possible.

    Raises
    ------
    ImageError
        When it cannot be read as an image.
    """
    try:
        with opened_bytes(file) as (source, start):
            if size := _header_size(source, start):
                return size
        data = read_bytes(file) if isinstance(file, str | os.PathLike) else start
        height, width = decode_pixels(data).shape[:2]
    except ImageError:
        raise
    except Exception as error:  # Pillow's readers raise anything on broken bytes
        raise ImageError(f"cannot be read: {_one_line(error)}") from error
    return width, height


@contextmanager
def opened_bytes(file: str | os.PathLike[str] | ImageBytes) -> Iterator[tuple[BinaryIO, bytes]]:
    """Open an image file for its header: yield a stream at its start, and its first bytes."""
    if isinstance(file, str | os.PathLike):
        with open(file, "rb") as source:  # noqa: PTH123 - a str is half the time
            start = source.read(_START)
            source.seek(0)
            yield source, start
    else:
        data = read_bytes(file)
        yield io.BytesIO(data), data


def _header_size(file: BinaryIO, start: bytes) -> tuple[int, int] | None:
    """Return the upright size by a header; None for RAW, whose preview counts."""
    if start[:4] in {b"II*\0", b"MM\0*"}:
        start = file.read()
        file.seek(0)
    if is_raw(start):
        return None
    with open_image(file, start) as image:
        width, height = image.size
        return (height, width) if image_orientation(image) in {5, 6, 7, 8} else (width, height)


def open_image(file: BinaryIO, start: bytes) -> Image.Image:
    """Open an image file of any format but RAW, by its first bytes; nothing is decoded yet."""
    if start[4:8] == b"ftyp" and (formats := _phone_formats(start)):
        return Image.open(file, formats=formats)
    return Image.open(file, formats=_FORMATS)


def _phone_formats(data: bytes) -> tuple[str, ...]:
    """Return the formats of a HEIC or AVIF file, after loading their reader."""
    brands = data[8:12], data[16:64]
    if brands[0] in {b"avif", b"avis"} or (brands[0] in {b"mif1", b"msf1"} and b"avi" in brands[1]):
        if not has_package("PIL._avif"):
            raise ImageError(missing_reason("heic", "AVIF"))
        return ("AVIF",)
    if brands[0] not in HEIC_BRANDS:
        return ()
    if not has_package("pillow_heif"):
        raise ImageError(missing_reason("heic"))
    import pillow_heif

    pillow_heif.register_heif_opener(thumbnails=False)
    return ("HEIF",)


def _rgb_pixels(image: Image.Image) -> npt.NDArray[np.uint8]:
    """Convert a loaded image of any mode to RGB, by the module's table.

    Some rows are converted at a time: whole copies would need up to forty bytes for a pixel.
    """
    width, height = image.size
    out = np.empty((height, width, 3), np.uint8)
    scale = _grey_range(image) if image.mode in (*_WIDE_GREY, *_DEEP_GREY) else (0.0, 1.0)
    for top, strip in _strips(image):
        out[top : top + strip.size[1]] = _rgb(strip, scale)
    return out


def _strips(image: Image.Image) -> Iterator[tuple[int, Image.Image]]:
    width, height = image.size
    rows = max(1, _STRIP // width)
    for top in range(0, height, rows):
        yield top, image.crop((0, top, width, min(top + rows, height)))


def _rgb(strip: Image.Image, scale: tuple[float, float]) -> npt.NDArray[np.uint8]:
    if strip.mode == "RGB" and "transparency" not in strip.info:
        return np.asarray(strip)
    if strip.mode in _DEEP_GREY:
        grey = np.round(np.asarray(strip, dtype=np.float64) * (255 / scale[1]))
        return grey.astype(np.uint8)[:, :, None]
    if strip.mode in _WIDE_GREY:
        low, high = scale
        grey = np.asarray(strip, dtype=np.float64)
        if (low, high) != (0.0, 1.0):
            grey = (grey - low) / (high - low) if high > low else np.zeros_like(grey)
        return np.round(grey * 255).astype(np.uint8)[:, :, None]
    if strip.mode in _ALPHA or "transparency" in strip.info:
        layer = strip.convert("RGBA")
        paper = Image.new("RGBA", layer.size, "white")
        return np.asarray(Image.alpha_composite(paper, layer).convert("RGB"))
    return np.asarray(strip.convert("RGB"))


def _grey_range(image: Image.Image) -> tuple[float, float]:
    """Return the values that become black and white: 0 and 1, or else the image's range."""
    low, high = np.inf, -np.inf
    for _, strip in _strips(image):
        grey = np.asarray(strip, dtype=np.float64)
        if not np.isfinite(grey).all():
            raise ImageError("holds pixels that are not finite")
        low, high = min(low, float(grey.min())), max(high, float(grey.max()))
    fixed, own = ((0.0, 1.0), (low, high))
    is_fixed = low >= 0 and high <= 1
    if image.mode in _DEEP_GREY:
        fixed, own = (0.0, 65535.0), (0.0, high)
        is_fixed = not 0 < high < _DIM
    scaled_by_content.here |= not is_fixed
    return fixed if is_fixed else own


_TURNS: dict[int, Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.uint8]]] = {
    2: np.fliplr,
    3: lambda pixels: np.rot90(pixels, 2),
    4: np.flipud,
    5: lambda pixels: pixels.swapaxes(0, 1),
    6: lambda pixels: np.rot90(pixels, -1),
    7: lambda pixels: np.rot90(pixels, 2).swapaxes(0, 1),
    8: np.rot90,
}


def upright(pixels: npt.NDArray[np.uint8], orientation: int) -> npt.NDArray[np.uint8]:
    """Return (height, width, 3) pixels turned and flipped as an orientation of EXIF asks for."""
    turn = _TURNS.get(orientation)
    return pixels if turn is None else np.ascontiguousarray(turn(pixels))


def image_orientation(image: Image.Image) -> int:
    """Return the orientation of EXIF, 1 to 8; 1 where EXIF is broken."""
    try:
        return int(image.getexif().get(ExifTags.Base.Orientation, 1))
    except Exception:  # a malformed tag block raises anything; the pixels are fine
        return 1


def _one_line(error: Exception) -> str:
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 200 else text[:199] + "…"
