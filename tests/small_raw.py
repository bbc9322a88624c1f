"""Camera RAW files as cameras write them, small: a DNG with a sensor's cells and a JPEG preview."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 7: 1, 10: 8}


def dng(pixels: np.ndarray, preview: bytes = b"", orientation: int = 1) -> bytes:
    """Return a DNG of RGB pixels: cells of 16 bits in the pattern RGGB, with a preview if given."""
    height, width = pixels.shape[:2]
    cells = np.empty((height, width), np.uint16)
    for down, across, colour in ((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 2)):
        cells[down::2, across::2] = pixels[down::2, across::2, colour].astype(np.uint16) * 257
    matrix = (3.24, -1.54, -0.5, -0.97, 1.88, 0.04, 0.06, -0.2, 1.06)
    shared = [
        (50706, 1, bytes([1, 4, 0, 0])),
        (271, 2, b"fishembed\0"),
        (272, 2, b"drawn\0"),
        (50708, 2, b"drawn\0"),
        (274, 3, struct.pack("<H", orientation)),
        (50721, 10, b"".join(struct.pack("<ii", round(n * 10000), 10000) for n in matrix)),
        (50728, 5, struct.pack("<6I", 1, 1, 1, 1, 1, 1)),
    ]
    raw = [
        *((254, 4, struct.pack("<I", 0)), (256, 4, struct.pack("<I", width))),
        *((257, 4, struct.pack("<I", height)), (258, 3, struct.pack("<H", 16))),
        *((259, 3, struct.pack("<H", 1)), (262, 3, struct.pack("<H", 32803))),
        *((277, 3, struct.pack("<H", 1)), (278, 4, struct.pack("<I", height))),
        *((33421, 3, struct.pack("<HH", 2, 2)), (33422, 1, bytes([0, 1, 1, 2]))),
        *((50714, 3, struct.pack("<H", 0)), (50717, 3, struct.pack("<H", 65535))),
    ]
    body = io.BytesIO()
    body.write(b"II*\0" + bytes(4))
    raw += _placed(body, cells.tobytes())
    if not preview:
        first = _folder(body, [*raw, *shared])
    else:
        sub = _folder(body, raw)
        seen = Image.open(io.BytesIO(preview))
        small = [
            *((254, 4, struct.pack("<I", 1)), (256, 4, struct.pack("<I", seen.width))),
            *((257, 4, struct.pack("<I", seen.height)), (258, 3, struct.pack("<3H", 8, 8, 8))),
            *((259, 3, struct.pack("<H", 7)), (262, 3, struct.pack("<H", 6))),
            *((277, 3, struct.pack("<H", 3)), (278, 4, struct.pack("<I", seen.height))),
            (330, 4, struct.pack("<I", sub)),
        ]
        first = _folder(body, [*small, *_placed(body, preview), *shared])
    body.seek(4)
    body.write(struct.pack("<I", first))
    return body.getvalue()


def _placed(body: io.BytesIO, content: bytes) -> list[tuple[int, int, bytes]]:
    body.seek(0, 2)
    at = body.tell()
    body.write(content)
    return [(273, 4, struct.pack("<I", at)), (279, 4, struct.pack("<I", len(content)))]


def _folder(body: io.BytesIO, tags: list[tuple[int, int, bytes]]) -> int:
    body.seek(0, 2)
    if body.tell() % 2:
        body.write(b"\0")
    entries = []
    for tag, kind, content in sorted(tags):
        value = content.ljust(4, b"\0")
        if len(content) > 4:
            value = struct.pack("<I", body.tell())
            body.write(content + b"\0" * (len(content) % 2))
        entries.append(struct.pack("<HHI", tag, kind, len(content) // _SIZES[kind]) + value)
    at = body.tell()
    body.write(struct.pack("<H", len(entries)) + b"".join(entries) + bytes(4))
    return at
