"""Images that a person labels in a page, as data for the page's script.

One component serves all pages: `templates/answer.js` reads what `answering_data` returns from the
page's data, shows the images large, takes decisions by key, and saves them as the CSV that
`fishembed fix` reads.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fishembed._base.files import write_bytes, write_text
from fishembed._base.text import counted, printable
from fishembed.errors import FishembedError
from fishembed.images import ImageFiles
from fishembed.reports.page_template import IMAGES_BESIDE, Tile, fill
from fishembed.reports.thumbnails import Thumbnail, original_place, thumbnails

ANSWER_BOX = (480, 360)
"""Largest width and height of the images in pixels."""

IN_PAGE = 12_000_000
"""Characters of images that a page holds; beyond, they lie in a folder beside it."""

_AT_ONCE = 500


@dataclass(frozen=True)
class AnswerImage:
    """One image to answer.

    Attributes
    ----------
    path
        As the store has it.
    label
        Its class; "" for none.
    guesses
        Classes it may be, the likeliest first; "right" takes the first where it has no label.
    lines
        What stands below it.
    split, chosen
        For the table of decisions: the split it goes to, and why it was chosen.
    """

    path: str
    label: str = ""
    guesses: tuple[str, ...] = ()
    lines: tuple[str, ...] = ()
    split: str = ""
    chosen: str = ""


@dataclass(frozen=True)
class AnswerSection:
    """Images under one heading.

    Attributes
    ----------
    title, note
        The heading, and a sentence below it.
    images
        Those that are shown.
    members
        Paths of unlabelled images that a name for the whole section is for; none where the
        section cannot be named.
    proposed
        Names to propose for the section.
    """

    title: str
    images: Sequence[AnswerImage]
    note: str = ""
    members: Sequence[str] = ()
    proposed: Sequence[str] = ()


@dataclass(frozen=True)
class AnswerSheet:
    """All that a page asks.

    Attributes
    ----------
    name
        Of the page; decisions are kept in the browser under it and the paths.
    classes
        Names of the classes to choose from.
    sections
        The images.
    """

    name: str
    classes: Sequence[str]
    sections: Sequence[AnswerSection]

    @property
    def images(self) -> list[AnswerImage]:
        """All images in the order of the page."""
        return [image for section in self.sections for image in section.images]


@dataclass(frozen=True)
class ImageSources:
    """Where a page finds its images.

    Attributes
    ----------
    urls
        Data, or a place relative to the page, by path.
    sizes
        Width and height by path.
    originals
        Place of the file itself, for the large view.
    """

    urls: Mapping[str, str] = field(default_factory=dict)
    sizes: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    originals: Mapping[str, str] = field(default_factory=dict)


def image_sources(
    photos: ImageFiles | None, paths: Iterable[str], page: Path, final: Path | None = None
) -> ImageSources:
    """Read images for a page: into the page, or once that is large into a folder beside it.

    Parameters
    ----------
    photos
        Finds them; None where they are not at hand.
    paths
        As the store has them.
    page
        The file that will be written.
    final
        Where the page will lie, when it is written elsewhere first.
    """
    if photos is None:
        return ImageSources()
    wanted = list(dict.fromkeys(paths))
    urls: dict[str, str] = {}
    sizes: dict[str, tuple[int, int]] = {}
    beside = page.with_name(f"{page.stem}-images")
    size = 0
    for start in range(0, len(wanted), _AT_ONCE):
        found = thumbnails(photos, wanted[start : start + _AT_ONCE], box=ANSWER_BOX)
        for path, small in found.items():
            size += len(small.uri)
            sizes[path] = small.width, small.height
            urls[path] = small.uri if size <= IN_PAGE else _write_beside(beside, path, small)
    home = (final or page).absolute().parent
    originals = {path: url for path in urls if (url := original_place(photos.at(path), home))}
    return ImageSources(urls, sizes, originals)


def answering_data(sheet: AnswerSheet, sources: ImageSources) -> dict[str, Any]:
    """Return what `answer.js` reads from the page's data."""
    images, sections = sheet.images, []
    start = 0
    for section in sheet.sections:
        stop = start + len(section.images)
        sections.append(
            {
                "start": start,
                "stop": stop,
                "members": _encodable(section.members),
                "proposed": list(section.proposed),
            }
        )
        start = stop
    text = "\0".join([sheet.name, *(image.path for image in images)])
    return {
        "key": hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:16],
        "name": sheet.name,
        "classes": list(sheet.classes),
        "sections": sections,
        "images": [_image(image, sources) for image in images],
    }


def _image(image: AnswerImage, sources: ImageSources) -> dict[str, Any]:
    size = sources.sizes.get(image.path)
    known: dict[str, Any] = {
        "path": _encodable([image.path])[0],
        "shown": printable(image.path),
        "label": image.label,
        "guesses": list(dict.fromkeys(image.guesses)),
        "lines": list(image.lines),
        "split": image.split,
        "chosen": image.chosen,
        "src": sources.urls.get(image.path, ""),
        "size": list(size) if size else [],
        "file": sources.originals.get(image.path, ""),
    }
    if known["shown"] == known["path"]:
        del known["shown"]
    return {name: value for name, value in known.items() if value or name == "path"}


def _encodable(paths: Sequence[str]) -> list[str]:
    r"""Return names that UTF-8 can hold: bytes that are no text as \udcXX in a private area."""
    return [
        path.translate({c: c - 0xDC80 + 0xF780 for c in map(ord, path) if 0xDC80 <= c <= 0xDCFF})
        for path in paths
    ]


def _write_beside(folder: Path, path: str, small: Thumbnail) -> str:
    name = hashlib.sha256(path.encode("utf-8", "surrogateescape")).hexdigest()[:20] + ".jpg"
    folder.mkdir(parents=True, exist_ok=True)
    write_bytes(folder / name, base64.b64decode(small.uri.partition(",")[2]))
    return f"{quote(folder.name)}/{name}"


SCRIPTS = ("page.js", "answer.js")


@dataclass(frozen=True)
class PhotoPage:
    """Texts of a page of photos, around its images.

    Attributes
    ----------
    eyebrow, headline, about
        The lines on top.
    tiles
        Numbers below them.
    counts
        (name, images, number of the section) of links to sections.
    problems
        (path, reason) of images that could not be used.
    footer
        The last line.
    """

    eyebrow: str
    headline: str
    about: str = ""
    tiles: Sequence[Tile] = ()
    counts: Sequence[tuple[str, int, int]] = ()
    problems: Sequence[tuple[str, str]] = ()
    footer: str = ""


def write_photo_page(
    page: Path,
    shown: PhotoPage,
    sheet: AnswerSheet,
    photos: ImageFiles | None,
    *,
    final: Path | None = None,
) -> None:
    """Write a page that can be answered; it needs no network, and no other file while it is small.

    Parameters
    ----------
    page
        The file.
    shown
        What stands around the images.
    sheet
        The images.
    photos
        Finds them; None where they are not at hand: their names are shown instead.
    final
        Where the page will lie, when it is written elsewhere first.
    """
    images = sheet.images
    sources = image_sources(photos, (image.path for image in images), page, final)
    missing = ""
    if photos is None:
        missing = "There are no photos here: they are not at hand (--photos)."
    elif lost := len({image.path for image in images}) - len(sources.urls):
        missing = f"{counted(lost, 'photo')} could not be read in {printable(str(photos))}."
    context: dict[str, Any] = {
        "name": printable(sheet.name),
        "eyebrow": printable(shown.eyebrow),
        "headline": printable(shown.headline),
        "about": shown.about,
        "tiles": shown.tiles,
        "counts": [(printable(name), n, at) for name, n, at in shown.counts],
        "problems": [(printable(path), printable(reason)) for path, reason in shown.problems],
        "footer": shown.footer
        or "Answer the photos, download the decisions, and give the file to fishembed fix.",
        "sections": [
            {"title": printable(one.title), "note": printable(one.note)} for one in sheet.sections
        ],
        "images_missing": missing,
        "image_places": IMAGES_BESIDE,
        "data": {"answering": answering_data(sheet, sources)},
        "figures": {},
    }
    write_text(page, fill("photos.html", context, scripts=SCRIPTS))


def find_photos(known: object, *, fetch: bool = False) -> ImageFiles | None:
    """Find the images below a folder, or with `fetch` a URL; None where they are not at hand."""
    try:
        found = ImageFiles(str(known), fetch=fetch) if known else None
    except FishembedError:
        return None
    return found if found is not None and found.are_there() else None
