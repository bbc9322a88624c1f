"""Progressive JPEGs without the scans that a scaled decoding does not need."""

from __future__ import annotations

import re
import struct

_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
"""What ends the data of a scan: neither a stuffed byte, nor a restart, nor a filler."""

_START, _END = b"\xff\xd8", b"\xff\xd9"
_PROGRESSIVE, _SCAN, _TABLES = 0xC2, 0xDA, 0xDB
_LAST_USED = {8: 4, 4: 4, 2: 24}
"""By scale, the last coefficient in zigzag order that the inverse transform looks at. At 8 it is
the mean alone, which libjpeg-turbo blurs, however, as long as nothing else is known."""

_UNSEEN = 16
"""Stands for the bits of a coefficient of which nothing was sent yet."""

_CUT_AT = (4, 8)
"""Scales at which features stay near enough; at 2 a cosine of 0.9958 is left, see
benchmarks/RESULTS.md."""

_COARSE, _MISSING = 4, 9
"""So much may be missing of a coefficient up to the fourth, in steps of the transform's output.
JPEGs of quality 90 then go without the last two bits, those of quality 75 have all.
Of finer ones more may."""


def without_late_scans(data: bytes, scale: int) -> bytes:
    """Cut a progressive JPEG after the scan that completes what a scaled decoding shows.

    Decoded at 1/4 or 1/8 inside the inverse transform, an image shows some of the
    coefficients only. The scans that bring the others, or the last bits of these, take most of
    the time: a file of 12 megapixels, of quality 90, is decoded in 33 ms in place of 106.

    Parameters
    ----------
    data
        Any file's bytes.
    scale
        The file will be decoded at 1 / scale of its size. Only at 4 and 8 something is cut.

    Returns
    -------
    bytes
        A JPEG that ends earlier; `data` itself where it is no progressive JPEG, is broken, or
        needs all its scans.
    """
    if scale not in _CUT_AT or not data.startswith(_START):
        return data
    try:
        end = _end_of_needed(data, scale)
    except (IndexError, KeyError, ValueError, struct.error):
        return data
    return data if end is None else data[:end] + _END


def _end_of_needed(data: bytes, scale: int) -> int | None:
    """Return where the data of the last needed scan end; None where nothing is to be cut."""
    steps: dict[int, bytes] = {}  # by table
    table_of: dict[int, int] = {}  # the table of each component
    missing: dict[int, list[int]] = {}  # by component, bits that each coefficient lacks
    used: dict[int, int] = {}
    at = len(_START)
    while True:
        marker, length = struct.unpack_from(">xBH", data, at)
        segment = data[at + 4 : at + 2 + length]
        at += 2 + length
        if marker == _TABLES:
            steps |= _read_tables(segment)
        elif marker == _PROGRESSIVE:
            used = _used_coefficients(segment, scale)
            table_of = dict(zip(segment[6::3], segment[8::3], strict=True))
            missing = {component: [_UNSEEN] * 64 for component in used}
        elif 0xC0 <= marker <= 0xCF and marker not in {0xC4, 0xC8, 0xCC}:
            return None  # another kind of JPEG
        elif marker == _SCAN:
            _read_scan(segment, missing)
            found = _MARKER.search(data, at)
            if found is None or found.group() == _END:
                return None
            at = found.start()
            if used and all(
                _suffices(missing[one], steps[table_of[one]], last) for one, last in used.items()
            ):
                return at


def _read_tables(segment: bytes) -> dict[int, bytes]:
    """Return the quantisation tables of 8 bits; those of 16 are left out."""
    tables = {}
    while segment:
        precision, table = segment[0] >> 4, segment[0] & 15
        length = 128 if precision else 64
        if not precision:
            tables[table] = segment[1 : 1 + length]
        segment = segment[1 + length :]
    return tables


def _used_coefficients(frame: bytes, scale: int) -> dict[int, int]:
    """Return by component the last coefficient that is used, from a frame's header.

    A component with fewer samples is scaled down by less, so that all come out alike.
    """
    parts = [frame[6 + 3 * i : 9 + 3 * i] for i in range(frame[5])]
    samples = {part[0]: min(part[1] >> 4, part[1] & 15) for part in parts}
    most = max(samples.values())
    return {
        component: _LAST_USED.get(scale * of // most, 63) if of else 63
        for component, of in samples.items()
    }


def _read_scan(header: bytes, missing: dict[int, list[int]]) -> None:
    """Note which coefficients a scan brings, and but for how many bits."""
    n = header[0]
    first, last, low = header[1 + 2 * n], header[2 + 2 * n], header[3 + 2 * n] & 15
    for component in header[1 : 1 + 2 * n : 2]:
        missing[component][first : last + 1] = [low] * (last + 1 - first)


def _suffices(missing: list[int], steps: bytes, last: int) -> bool:
    """Return whether the coefficients that are used are there, the coarse ones nearly whole."""
    lacks = [((1 << missing[i]) - 1) * steps[i] for i in range(min(last, _COARSE) + 1)]
    return max(lacks) <= _MISSING and max(missing[: last + 1]) < _UNSEEN
