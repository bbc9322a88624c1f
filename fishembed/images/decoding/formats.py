"""Formats of images by their endings, those that are read, and files of the system."""

from __future__ import annotations

import os
from functools import cache
from importlib.util import find_spec
from typing import NamedTuple

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c", ".ppm", ".pgm", ".pbm"}
    | {".pnm", ".tga", ".qoi", ".pcx"}
)
"""Endings of images that are always read: what Pillow decodes with no other program."""

HEIC_SUFFIXES = frozenset({".heic", ".heif", ".hif", ".heics", ".heifs"})
AVIF_SUFFIXES = frozenset({".avif", ".avifs"})
RAW_SUFFIXES = frozenset(
    {".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".dng", ".orf", ".rw2"}
    | {".raf", ".pef", ".srw", ".raw", ".3fr", ".iiq", ".x3f", ".erf", ".mrw", ".kdc", ".gpr"}
)
VIDEO_SUFFIXES = frozenset(
    {".mp4", ".mov", ".avi", ".mkv", ".m4v", ".webm", ".mpg", ".mpeg", ".mts", ".m2ts", ".3gp"}
    | {".wmv", ".asf"}
)

_CONVERT = "convert it to JPEG or PNG (ImageMagick: magick mogrify -format jpg FILE)"
_FILM = "a film, not an image: in a folder it is read frame by frame"
_OTHER_FILMS = frozenset({".flv", ".ogv", ".vob", ".rmvb", ".braw", ".r3d", ".lrv", ".insv"})
_OTHER_IMAGES = frozenset(
    {".jxl", ".psd", ".psb", ".xcf", ".svg", ".svgz", ".eps", ".ai", ".wmf", ".emf", ".dds"}
    | {".exr", ".hdr", ".fits", ".fit", ".ico", ".icns", ".jxr", ".wdp", ".pfm", ".sgi", ".ras"}
    | {".czi", ".nd2", ".lif", ".dcm", ".dicom", ".djvu", ".mng", ".jls", ".flif", ".bpg"}
)


class _Extra(NamedTuple):
    """Formats that a package reads which is not always installed."""

    name: str
    suffixes: frozenset[str]
    module: str
    package: str
    extra: str


_EXTRAS = (
    _Extra("HEIC", HEIC_SUFFIXES, "pillow_heif", "pillow-heif", "heic"),
    _Extra("AVIF", AVIF_SUFFIXES, "PIL._avif", "pillow", "heic"),
    _Extra("camera RAW", RAW_SUFFIXES, "rawpy", "rawpy", "raw"),
    _Extra("video", VIDEO_SUFFIXES, "av", "av", "video"),
)


@cache
def has_package(module: str) -> bool:
    """Return whether a module is installed, without importing it."""
    return find_spec(module) is not None


@cache
def read_suffixes() -> frozenset[str]:
    """Return the endings of images and videos that are read with what is installed here."""
    return SUFFIXES.union(*(one.suffixes for one in _EXTRAS if has_package(one.module)))


def why_unread(kind: str) -> str:
    """Return the reason why files of an ending are not read, and how to read them, or "".

    "" for endings that are read, and for those of no image and no video.
    """
    for one in _EXTRAS:
        if kind in one.suffixes:
            return "" if has_package(one.module) else missing_reason(one.extra, one.name)
    if kind in _OTHER_FILMS:
        return "this format is not read: convert it to MP4 (ffmpeg -i FILE FILE.mp4)"
    if kind in _OTHER_IMAGES:
        name = "JPEG XL" if kind == ".jxl" else "this format"
        return f"{name} is not read: {_CONVERT}"
    return ""


def missing_reason(extra: str, name: str = "") -> str:
    """Return what to install for the formats of an extra."""
    one = next(each for each in _EXTRAS if each.extra == extra and name in {"", each.name})
    return f"{one.name} is not read without {one.package}: pip install 'fishembed[{extra}]'"


SYSTEM_FOLDERS = frozenset(
    {"__macosx", "@eadir", "#recycle", "@recycle", "#snapshot", "@snapshot", "@tmp", "@__thumb"}
    | {"@recently-snapshot", "@sharebin", "@synologydrive", "@transcode", "~snapshot", "~recycle"}
    | {"$recycle.bin", "recycler", "recycled", "system volume information", "found.000"}
    | {"lost+found", "lost.dir", "network trash folder", "temporary items", "_vti_cnf", "$extend"}
    | {"__pycache__", "node_modules", "trash-1000", "desktop folder db"}
)
"""Folders that systems, archives and network disks make, in lower case: trash and thumbnails."""

_SYSTEM_ENDINGS = (".lrdata", ".photoslibrary", ".lrlibrary", ".cocatalogdb")

HIDDEN = "in a hidden or system folder, or hidden itself"

_MAGIC = (
    (b"\0\0\0\x0cjXL \r\n\x87\n", ".jxl"),
    (b"\xff\x0a", ".jxl"),
    (b"8BPS", ".psd"),
    (b"%!PS", ".eps"),
    (b"FUJIFILMCCD-RAW", ".raf"),
    (b"II*\0\x10\0\0\0CR", ".cr2"),
    (b"IIU\0", ".rw2"),
    (b"IIRO", ".orf"),
    (b"\0\0\x01\0", ".ico"),
    (b"SIMPLE  =", ".fits"),
    (b"v/1\x01", ".exr"),
)
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
"""The first four letters of a HEIC file's content, behind `ftyp`."""

_FILM_STARTS = (b"\x1aE\xdf\xa3", b"\0\0\x01\xba", b"0&\xb2u\x8ef\xcf\x11")
_TEXTS = ((b"<svg", "an SVG drawing"), (b"<html", "a web page"), (b"<!doc", "a web page"))


def ending(name: str) -> str:
    """Return the ending of a file's name, in lower case and without blanks behind it."""
    return os.path.splitext(name.rstrip())[1].lower()  # noqa: PTH122 - a name, no path


def is_hidden(name: str) -> bool:
    """Return whether a name is a dot file, or one that systems and archives make."""
    low = name.lower()
    return low.startswith(".") or low in SYSTEM_FOLDERS or low.endswith(_SYSTEM_ENDINGS)


def what_it_is(data: bytes) -> str:
    """Return the kind of bytes that cannot be decoded, and how they could be read, or ""."""
    if data[4:8] == b"ftyp":
        return _kind_of_brand(data[8:12])
    if data.startswith(_FILM_STARTS) or data[:4] + data[8:12] == b"RIFFAVI ":
        return _FILM
    for start, kind in _MAGIC:
        if data.startswith(start):
            return why_unread(kind)
    head = data[:512].lstrip().lower()
    return next((kind for start, kind in _TEXTS if start in head[:256]), "")


def _kind_of_brand(brand: bytes) -> str:
    if brand == b"crx ":
        return why_unread(".cr3")
    if brand in {b"avif", b"avis"}:
        return why_unread(".avif")
    return why_unread(".heic") if brand in HEIC_BRANDS else _FILM
