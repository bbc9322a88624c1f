"""Which files are images, by their endings; which of them are read; and what is nobody's data."""

from __future__ import annotations

import os

SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png", ".apng", ".webp", ".bmp", ".dib", ".gif"}
    | {".tif", ".tiff", ".jp2", ".j2k", ".jpc", ".jpf", ".jpx", ".j2c", ".ppm", ".pgm", ".pbm"}
    | {".pnm", ".tga", ".qoi", ".pcx"}
)
"""Endings of images that are read: what Pillow decodes with no other program."""

_CONVERT = "convert it to JPEG or PNG (ImageMagick: magick mogrify -format jpg FILE)"
_DEVELOP = "develop it to JPEG or TIFF (darktable, RawTherapee), or let the camera write JPEG too"

UNREAD = (
    dict.fromkeys(
        (".heic", ".heif", ".hif", ".heics", ".heifs"),
        f"HEIC is not read: {_CONVERT}, or set the phone to 'Most compatible'",
    )
    | dict.fromkeys((".avif", ".avifs"), f"AVIF is not read: {_CONVERT}")
    | dict.fromkeys((".jxl",), f"JPEG XL is not read: {_CONVERT}")
    | dict.fromkeys(
        (
            *(
                ".cr2",
                ".cr3",
                ".crw",
                ".nef",
                ".nrw",
                ".arw",
                ".srf",
                ".sr2",
                ".dng",
                ".orf",
                ".rw2",
            ),
            *(
                ".raf",
                ".pef",
                ".srw",
                ".raw",
                ".3fr",
                ".iiq",
                ".x3f",
                ".erf",
                ".mrw",
                ".kdc",
                ".gpr",
            ),
        ),
        f"camera RAW is not read: {_DEVELOP}",
    )
    | dict.fromkeys(
        (
            *(
                ".psd",
                ".psb",
                ".xcf",
                ".svg",
                ".svgz",
                ".eps",
                ".ai",
                ".wmf",
                ".emf",
                ".dds",
                ".exr",
            ),
            *(".hdr", ".fits", ".fit", ".ico", ".icns", ".jxr", ".wdp", ".pfm", ".sgi", ".ras"),
            *(".czi", ".nd2", ".lif", ".dcm", ".dicom", ".djvu", ".mng", ".jls", ".flif", ".bpg"),
        ),
        f"this format is not read: {_CONVERT}",
    )
)
"""Endings of images that are not read, and the way to read them."""

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
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_TEXTS = ((b"<svg", "an SVG drawing"), (b"<html", "a web page"), (b"<!doc", "a web page"))


def ending(name: str) -> str:
    """Return the ending of a file's name, in lower case and without blanks behind it."""
    return os.path.splitext(name.rstrip())[1].lower()  # noqa: PTH122 - a name, no path


def is_hidden(name: str) -> bool:
    """Return whether nobody means a name: dot files, and what systems and archives make."""
    low = name.lower()
    return low.startswith(".") or low in SYSTEM_FOLDERS or low.endswith(_SYSTEM_ENDINGS)


def what_it_is(data: bytes) -> str:
    """Return what bytes that cannot be decoded are, and how they could be read, or ""."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand == b"crx ":
            return UNREAD[".cr3"]
        if brand in {b"avif", b"avis"}:
            return UNREAD[".avif"]
        if brand in _HEIC_BRANDS:
            return UNREAD[".heic"]
        return "a film, not an image: take frames from it (ffmpeg -i FILM frame%05d.jpg)"
    for start, kind in _MAGIC:
        if data.startswith(start):
            return UNREAD[kind]
    head = data[:512].lstrip().lower()
    return next((kind for start, kind in _TEXTS if start in head[:256]), "")
